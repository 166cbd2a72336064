import type { Settings } from "@flyte-secrets/config";
import { type SecretFetcher, SecretsError } from "@flyte-secrets/core";
import { openAws } from "./aws-fetcher.ts";
import { openAzure } from "./azure-fetcher.ts";
import { openGcp } from "./gcp-fetcher.ts";
import { type KubernetesSecrets, openKubernetes } from "./kubernetes-fetcher.ts";
import { createNamedFetcher, type NamedBackend } from "./named-fetcher.ts";
import { openVault } from "./vault-fetcher.ts";

type EmbeddedConfig = Settings["webhook"]["embeddedSecretManagerConfig"];

export interface FetcherSources {
  /** For type K8s: the cluster of the managed Secrets. */
  readonly kubernetes?: KubernetesSecrets;
}

/**
 * The fetcher that `webhook.embeddedSecretManagerConfig` names; a cloud's SDK is loaded only for its own type. Type `Store` has none
 * here: its store is looked up in directly. Throws `invalid_config`, naming the setting, for what the type needs and isn't there.
 */
export async function openFetcher(config: EmbeddedConfig, sources: FetcherSources = {}): Promise<SecretFetcher> {
  return createNamedFetcher(await openBackend(config, sources));
}

/** What {@link openFetcher} reads from. */
export async function openBackend(config: EmbeddedConfig, { kubernetes }: FetcherSources = {}): Promise<NamedBackend> {
  switch (config.type) {
    case "AWS":
      return await openAws(config.awsConfig);
    case "GCP":
      return await openGcp(config.gcpConfig);
    case "Azure":
      return await openAzure(config.azureConfig);
    case "Vault":
      return await openVault(config.vaultConfig);
    case "K8s":
      if (kubernetes) return openKubernetes(kubernetes, config.k8sConfig.namespace);
      throw new SecretsError(
        "invalid_config",
        "webhook.embeddedSecretManagerConfig.type K8s needs a cluster: run in one, or set secret.kubernetes.kubeconfig",
      );
    case "Store":
      throw new SecretsError(
        "invalid_config",
        "webhook.embeddedSecretManagerConfig.type Store is read by its own lookup",
      );
  }
}
