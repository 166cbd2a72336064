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
import { createLookup } from "../../direct-lookup.ts";
import { createProviderFetcher } from "../secret-provider.ts";
import { createKubernetesProvider } from "./provider.ts";

const id: SecretId = { org: "flyte", domain: "development", project: "shop", name: "api-key" };

/** A namespace as a Kubernetes client presents it: the client has mapped all HTTP errors. */
async function start() {
  const secrets = new Map<string, Readonly<Record<string, string>>>();
  let fault: BackendFault | undefined;
  const kubernetes = createKubernetesProvider(async (name, { signal }) => {
    if (fault === "silent") return raceSignal(signal, () => new Promise(() => {}));
    if (fault === "forbidden") throw new SecretsError("credentials_refused", "no");
    if (fault !== undefined) throw new SecretsError("store_unavailable", "no");
    const data = secrets.get(name);
    return data && { data };
  }, "flyte");
  const store = (id: SecretId, data: Record<string, string>) => void secrets.set(kubernetesSecretName(id), data);
  return {
    fetcher: createProviderFetcher(kubernetes),
    put: async (id: SecretId, value: SecretValue) => store(id, { [encodeSecretId(id)]: value.revealBase64() }),
    putEmpty: async (id: SecretId) => store(id, {}),
    fail(next: BackendFault) {
      fault = next;
    },
    async close() {},
  };
}

describeSecretFetcher("K8s", start);

test("the answer has the namespace of a secret", async () => {
  const { fetcher, put } = await start();
  await put(id, SecretValue.fromText("v"));
  const found = await createLookup({ fetcher }).find(id, "api-key");
  expect(found).toMatchObject({ found: true, namespace: "flyte" });
});
