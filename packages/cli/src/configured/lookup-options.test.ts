import { expect, test } from "vitest";
import { configOf } from "../testing/config-of.ts";
import { lookupSource, toLookupOptions } from "./lookup-options.ts";

const MANAGER = "webhook.embeddedSecretManagerConfig";

test("the cache's settings, in milliseconds and bytes, and the longest id", () => {
  const config = configOf({
    [`${MANAGER}.type`]: "Store",
    "cache.inMemoryFixedSize.size": "64M",
    "cache.inMemoryFixedSize.defaultExpiration": "4s",
    "cache.inMemoryFixedSize.notFoundExpiration": "3s",
    "cache.inMemoryFixedSize.staleWhileDown": "2s",
    "cache.fetchTimeout": "1s",
    "cache.fetchesUnderWay": "99",
    "webhook.limits.idLength": "240",
  });
  const cache = { ttlMs: 4_000, negativeTtlMs: 3_000, staleMs: 2_000, timeoutMs: 1_000, maxFetches: 99 };
  expect(toLookupOptions(config)).toEqual({
    source: { type: "Store" },
    cache: { ...cache, maxBytes: config.cache.inMemoryFixedSize.size },
    maxIdLength: 240,
  });
});

test("values of a store in a cluster are in its managed Secrets", () => {
  const inCluster = { "secret.store.type": "Kubernetes", "secret.kubernetes.namespace": "values" };
  expect(lookupSource(configOf({ [`${MANAGER}.type`]: "Store", ...inCluster }))).toEqual({
    type: "K8s",
    namespace: "values",
  });
  expect(lookupSource(configOf({ [`${MANAGER}.type`]: "K8s", [`${MANAGER}.k8sConfig.namespace`]: "other" }))).toEqual({
    type: "K8s",
    namespace: "other",
  });
});

test.each([
  ["AWS", "awsConfig", { region: "eu-west-1", endpoint: "" }],
  ["Azure", "azureConfig", { vaultURI: "https://name.vault.azure.net" }],
  ["GCP", "gcpConfig", { project: "shop", endpoint: "" }],
  ["Vault", "vaultConfig", { address: "https://vault.example.com:8200", kvVersion: "1", role: "reader" }],
])("%s has the settings of its own section", (type, section, settings) => {
  const flags = Object.entries(settings).map(([key, value]) => [`${MANAGER}.${section}.${key}`, value]);
  const source = lookupSource(configOf({ [`${MANAGER}.type`]: type, ...Object.fromEntries(flags) }));
  expect(source).toMatchObject({ type, ...settings });
});
