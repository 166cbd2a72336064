import { encodeSecretId, kubernetesSecretName, type SecretId } from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";
import { expect, test } from "vitest";
import { MisnamedSecrets } from "./misnamed-secrets.ts";

const id: SecretId = { org: "flyte", domain: "development", project: "shop", name: "api-key" };
const text = encodeSecretId(id);
const secret = (name: string, ...keys: string[]): KubeSecret => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name },
  data: Object.fromEntries(keys.map((key) => [key, "dg=="])),
});

test("the Secret that has an id under another name is known until it changes or goes", () => {
  const misnamed = new MisnamedSecrets();
  misnamed.put(secret("api-key", "other", text));
  expect(misnamed.find(text)).toBe("api-key");
  misnamed.put(secret("api-key", "other"));
  expect(misnamed.find(text)).toBeUndefined();
  misnamed.put(secret("api-key", text));
  misnamed.remove("api-key");
  expect(misnamed.find(text)).toBeUndefined();
});

test("a Secret of the right name is not misnamed, nor is one that the webhook delivered", () => {
  const misnamed = new MisnamedSecrets();
  misnamed.put(secret(kubernetesSecretName(id), text));
  misnamed.put(secret(`flyte-secrets-${"a".repeat(32)}`, text));
  expect(misnamed.find(text)).toBeUndefined();
});

test("of any number of them, no more than a thousand are kept", () => {
  const misnamed = new MisnamedSecrets();
  const ids = Array.from({ length: 1_200 }, (_, at) => encodeSecretId({ ...id, name: `key-${at}` }));
  ids.forEach((each, at) => {
    misnamed.put(secret(`secret-${at}`, each));
  });
  expect(ids.filter((each) => misnamed.find(each) !== undefined).length).toBe(1_000);
});
