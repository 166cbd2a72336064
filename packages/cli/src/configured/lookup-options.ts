import type { Config } from "@flyte-secrets/config";
import type { LookupOptions } from "@flyte-secrets/lookup";

/** The options of the lookup that `webhook.embeddedSecretManagerConfig` and `cache` describe. */
export function toLookupOptions(config: Pick<Config, "secret" | "webhook" | "cache">): LookupOptions {
  const { size, defaultExpiration, notFoundExpiration, staleWhileDown } = config.cache.inMemoryFixedSize;
  return {
    source: lookupSource(config),
    cache: {
      ttlMs: defaultExpiration,
      negativeTtlMs: notFoundExpiration,
      staleMs: staleWhileDown,
      maxBytes: size,
      timeoutMs: config.cache.fetchTimeout,
      maxFetches: config.cache.fetchesUnderWay,
    },
    maxIdLength: config.webhook.limits.idLength,
  };
}

/** Where values come from. A store in a cluster is read where its managed Secrets are, by a watch of them. */
export function lookupSource({ secret, webhook }: Pick<Config, "secret" | "webhook">): LookupOptions["source"] {
  const { type, k8sConfig, awsConfig, azureConfig, gcpConfig, vaultConfig } = webhook.embeddedSecretManagerConfig;
  switch (type) {
    case "Store":
      return secret.store.type === "Kubernetes" ? { type: "K8s", namespace: secret.kubernetes.namespace } : { type };
    case "K8s":
      return { type, namespace: k8sConfig.namespace };
    case "AWS":
      return { type, ...awsConfig };
    case "Azure":
      return { type, ...azureConfig };
    case "GCP":
      return { type, ...gcpConfig };
    case "Vault":
      return { type, ...vaultConfig };
  }
}
