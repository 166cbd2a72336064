import type { SecretFetcher, SecretId, SecretValue } from "@flyte-secrets/core";

/** One secret manager, empty, with a fetcher on it, and what the contract suite needs to put things there. */
export interface FetcherHarness {
  readonly fetcher: SecretFetcher;
  /** Writes a value in the form of docs/secret-managers.md. */
  put(id: SecretId, value: SecretValue): Promise<void>;
  /** Writes a value under the documented short form, where the manager has one. */
  putShort?(id: SecretId, value: SecretValue): Promise<void>;
  /** The manager has no secrets with an empty value. */
  readonly refusesEmptyValues?: true;
  /** Makes a secret that has no value in it, where the manager can have such. */
  putEmpty?(id: SecretId): Promise<void>;
  /** From now on the manager behaves so, where it can be made to. */
  fail?(fault: BackendFault): void;
  /** Faults that this manager can't have, or that nobody could tell. */
  readonly faultless?: readonly BackendFault[];
  close(): Promise<void>;
}

/**
 * How a secret manager fails: it refuses our credentials; wants fewer calls; has a fault; drops the connection; never
 * answers; is somebody else, who has a page for "not found"; answers with another secret.
 */
export type BackendFault = "forbidden" | "throttled" | "broken" | "gone" | "silent" | "foreign" | "lying";

/** Starts a secret manager of its own, or a part of one, for one test. */
export type StartFetcher = () => Promise<FetcherHarness>;
