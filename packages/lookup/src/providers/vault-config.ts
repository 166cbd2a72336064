import type { Settings } from "@flyte-secrets/config";
import { trimEndOf } from "@flyte-secrets/core";

/** `webhook.embeddedSecretManagerConfig.vaultConfig`. */
export type VaultConfig = Settings["webhook"]["embeddedSecretManagerConfig"]["vaultConfig"];

/** A path of Vault's as it stands within another: people copy them with a slash before or behind. */
export function trimSlashes(path: string): string {
  return trimEndOf(path.replace(/^\/+/, ""), "/");
}

/**
 * The mount of an auth method below `auth/`, however it is written: `vault auth list` ends it with a slash, its paths
 * begin with `auth/`.
 */
export function authMountOf({ authMount }: Pick<VaultConfig, "authMount">): string {
  return trimSlashes(trimSlashes(authMount).replace(/^auth\//, ""));
}

/** The address below which calls go: with `/v1`, as those of the API are written, or without. */
export function baseOf({ address }: Pick<VaultConfig, "address">): string {
  return trimEndOf(trimEndOf(address, "/").replace(/\/v1$/, ""), "/");
}
