import { trimEndOf } from "@flyte-secrets/core";

/** Where a Vault server is, where its secrets are, and how to log in. */
export interface VaultOptions {
  /** URL of the server. */
  readonly address: string;
  /** PEM file with the CA that signed its certificate. Empty: the system's CAs are trusted. */
  readonly caFile: string;
  /** Namespace of Vault Enterprise; empty for none. */
  readonly namespace: string;
  /** Mount of the KV engine. */
  readonly mount: string;
  /** Path of the secrets below the mount; may be empty. */
  readonly path: string;
  readonly kvVersion: "1" | "2";
  readonly auth: "kubernetes" | "token";
  /** Mount of the Kubernetes auth method. */
  readonly authMount: string;
  /** Role to log in as with the Kubernetes auth method. */
  readonly role: string;
  /**
   * With `token` the file with the Vault token; with `kubernetes` the service account's. Empty: where Kubernetes puts
   * it.
   */
  readonly tokenFile: string;
}

/** A path of Vault without the slashes at its ends, with which people often copy it. */
export function trimSlashes(path: string): string {
  return trimEndOf(path.replace(/^\/+/, ""), "/");
}

/**
 * The mount of an auth method without `auth/` and slashes: `vault auth list` prints a slash at its end, and its paths
 * begin with `auth/`.
 */
export function authMountOf({ authMount }: Pick<VaultOptions, "authMount">): string {
  return trimSlashes(trimSlashes(authMount).replace(/^auth\//, ""));
}

/** The address of the server without `/v1`, with which addresses of the API are written. */
export function baseOf({ address }: Pick<VaultOptions, "address">): string {
  return trimEndOf(trimEndOf(address, "/").replace(/\/v1$/, ""), "/");
}
