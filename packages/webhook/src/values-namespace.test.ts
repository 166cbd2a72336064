import { loadConfig } from "@flyte-secrets/config";
import { expect, test } from "vitest";
import { sharedNamespace } from "./values-namespace.ts";

const shared = (flags: Record<string, string>) =>
  sharedNamespace(loadConfig({ files: [], defaultFiles: [], env: {}, flags, home: "/nowhere", cwd: "/" }));
const K8S = { "webhook.embeddedSecretManagerConfig.type": "K8s" };
const APART = { ...K8S, "webhook.embeddedSecretManagerConfig.k8sConfig.namespace": "values" };

test("by Flyte's defaults pods and values share a namespace", () => {
  expect(shared(K8S)).toBe("flyte");
});

test("values have a namespace of their own where pods are elsewhere, and where they aren't in Secrets", () => {
  expect(shared(APART)).toBeUndefined();
  expect(shared({ "webhook.embeddedSecretManagerConfig.type": "Vault" })).toBeUndefined();
  expect(shared({ "secret.store.type": "Embedded" })).toBeUndefined();
});

test.each([
  { "webhook.scopeBinding.trustedNamespaces": "flyte,values" },
  { "webhook.writtenSecrets.namespaces": "values" },
  { "webhook.scopeBinding.mode": "off" },
])("they share it where %j lets pods there have secrets", (flags) => {
  expect(shared({ ...APART, ...flags })).toBe("values");
});
