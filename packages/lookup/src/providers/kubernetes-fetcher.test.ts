import {
  encodeSecretId,
  kubernetesSecretName,
  raceSignal,
  type SecretId,
  SecretsError,
  SecretValue,
} from "@flyte-secrets/core";
import { type BackendFault, describeSecretFetcher } from "@flyte-secrets/testkit/vitest";
import { expect, test } from "vitest";
import { createLookup } from "../lookup.ts";
import { openKubernetes } from "./kubernetes-fetcher.ts";
import { createNamedFetcher } from "./named-fetcher.ts";

const id: SecretId = { org: "flyte", domain: "development", project: "shop", name: "api-key" };

/** A namespace, as a Kubernetes client shows it: the client has mapped all errors of HTTP. */
async function start() {
  const secrets = new Map<string, Readonly<Record<string, string>>>();
  let fault: BackendFault | undefined;
  const kubernetes = openKubernetes(
    {
      async readSecret(namespace, name, { signal }) {
        if (fault === "silent") return raceSignal(signal, () => new Promise(() => {}));
        if (fault === "forbidden") throw new SecretsError("credentials_refused", "no");
        if (fault !== undefined) throw new SecretsError("store_unavailable", "no");
        return secrets.get(`${namespace}/${name}`);
      },
    },
    "flyte",
  );
  const store = (id: SecretId, data: Record<string, string>) =>
    void secrets.set(`flyte/${kubernetesSecretName(id)}`, data);
  return {
    fetcher: createNamedFetcher(kubernetes),
    put: async (id: SecretId, value: SecretValue) => store(id, { [encodeSecretId(id)]: value.revealBase64() }),
    putEmpty: async (id: SecretId) => store(id, {}),
    fail(next: BackendFault) {
      fault = next;
    },
    async close() {},
  };
}

describeSecretFetcher("K8s", start);

test("what is found says in which namespace it lies", async () => {
  const { fetcher, put } = await start();
  await put(id, SecretValue.fromText("v"));
  const found = await createLookup({ fetcher }).find(id, "api-key");
  expect(found).toMatchObject({ found: true, namespace: "flyte" });
});
