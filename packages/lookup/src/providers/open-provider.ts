import type { SecretFetcher } from "@flyte-secrets/core";
import { type AwsOptions, openAws } from "./aws/provider.ts";
import { type AzureOptions, openAzure } from "./azure/provider.ts";
import { type GcpOptions, openGcp } from "./gcp/provider.ts";
import { createProviderFetcher, type SecretProvider } from "./secret-provider.ts";
import type { VaultOptions } from "./vault/options.ts";
import { openVault } from "./vault/provider.ts";

/** A secret manager, by its type and its own options. */
export type ProviderOptions =
  | ({ readonly type: "AWS" } & AwsOptions)
  | ({ readonly type: "Azure" } & AzureOptions)
  | ({ readonly type: "GCP" } & GcpOptions)
  | ({ readonly type: "Vault" } & VaultOptions);

/**
 * Opens a secret manager; this is where each one is registered. Only the SDK of its own type is loaded. Throws
 * `invalid_config`, naming the setting that is missing or wrong.
 */
export async function openProvider(options: ProviderOptions): Promise<SecretProvider> {
  switch (options.type) {
    case "AWS":
      return await openAws(options);
    case "Azure":
      return await openAzure(options);
    case "GCP":
      return await openGcp(options);
    case "Vault":
      return await openVault(options);
  }
}

/** A fetcher over a secret manager, for tests with a real one. */
export async function openProviderFetcher(options: ProviderOptions): Promise<SecretFetcher> {
  return createProviderFetcher(await openProvider(options));
}
