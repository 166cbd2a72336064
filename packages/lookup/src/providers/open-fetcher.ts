import type { SecretFetcher } from "@flyte-secrets/core";
import { type AwsOptions, openAws } from "./aws-fetcher.ts";
import { type AzureOptions, openAzure } from "./azure-fetcher.ts";
import { type GcpOptions, openGcp } from "./gcp-fetcher.ts";
import { createNamedFetcher, type NamedBackend } from "./named-fetcher.ts";
import type { VaultOptions } from "./vault-config.ts";
import { openVault } from "./vault-fetcher.ts";

/** A cloud's secret manager, or Vault, by its type and its own options. */
export type ManagerOptions =
  | ({ readonly type: "AWS" } & AwsOptions)
  | ({ readonly type: "Azure" } & AzureOptions)
  | ({ readonly type: "GCP" } & GcpOptions)
  | ({ readonly type: "Vault" } & VaultOptions);

/** Opens a secret manager. Only the SDK of its own type is loaded. Throws `invalid_config`, naming the setting that is missing or wrong. */
export async function openBackend(options: ManagerOptions): Promise<NamedBackend> {
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
export async function openManagerFetcher(options: ManagerOptions): Promise<SecretFetcher> {
  return createNamedFetcher(await openBackend(options));
}
