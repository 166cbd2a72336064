import type { SecretId, SecretScope } from "./secret-id.ts";
import type { SecretValue } from "./secret-value.ts";

/** `generic`, or a `.dockerconfigjson` for pulling images. */
export type StoredSecretType = "generic" | "image_pull";

/** Whether one cluster has the secret; `unknown` when the cluster was not reachable. */
export interface ClusterPresence {
  readonly cluster: string;
  readonly presence: "present" | "missing" | "unknown";
}

/** Everything about a stored secret except its value. */
export interface SecretRecord {
  readonly id: SecretId;
  readonly type: StoredSecretType;
  readonly createdAt: Date;
  /** When the value was last written; undefined where the store doesn't know. */
  readonly updatedAt?: Date;
  /** Whether an operator labelled it `app.flyte.org/system=true`: such secrets are hidden unless requested. */
  readonly system: boolean;
  readonly clusters: readonly ClusterPresence[];
}

export interface SecretContent {
  readonly value: SecretValue;
  readonly type: StoredSecretType;
}

export interface ListRequest {
  /** The exact domain and project of the entries; an empty part matches all. */
  readonly scope: SecretScope;
  /** Maximum number of entries, at least 1. */
  readonly limit: number;
  /** Empty for the first page, otherwise the token of the previous page. */
  readonly token: string;
  /** Positions by cluster name, in addition to `token`. */
  readonly clusterTokens: Readonly<Record<string, string>>;
  readonly includeSystem: boolean;
}

export interface ListPage {
  /** In a stable order. */
  readonly entries: readonly SecretRecord[];
  /** The whole position; empty on the last page. */
  readonly token: string;
  readonly clusterTokens: Readonly<Record<string, string>>;
}

/** An event of a store's change feed. After `reset`, anything may have changed: caches must be emptied. */
export type StoreChange =
  | { readonly kind: "put"; readonly id: SecretId }
  | { readonly kind: "delete"; readonly id: SecretId }
  | { readonly kind: "reset" };

/**
 * The request header for {@link StoreCallOptions.force}, with the value `true`: Flyte's messages have no field for it,
 * and its clients never send it. It protects against mistakes only, because everyone who may write may send it.
 */
export const FORCE_HEADER = "flyte-secrets-force";

/**
 * The request header for {@link StoreCallOptions.strong}, with the value `strong`: Flyte's messages have no field for
 * it.
 */
export const CONSISTENCY_HEADER = "flyte-secrets-consistency";

export interface StoreCallOptions {
  readonly signal?: AbortSignal;
  /** With false (the default) a system secret counts as absent. */
  readonly includeSystem?: boolean;
  /**
   * Whether to update and delete also secrets that something else manages, such as an External Secret. Default:
   * `call_refused`.
   */
  readonly force?: boolean;
  /**
   * Whether a read has to see every write that was acknowledged before it, by whichever process. Default: that of the
   * store; a read always sees the writes of the same store object.
   */
  readonly strong?: boolean;
}

/**
 * Stores secrets. One contract suite in testkit checks every implementation. A missing secret is a result for `get` and
 * `read`, and an error for `update` and `delete`. Every other failure throws a SecretsError (`store_unavailable`,
 * `store_full`, `store_read_only`, `credentials_refused`, ...), and then nothing was written. Callers validate ids.
 */
export interface SecretStore {
  /** For messages and telemetry, such as `Embedded`. */
  readonly name: string;
  /** The maximum size of a value in bytes; a larger one is `value_too_large`, and nothing is written. */
  readonly maxValueBytes: number;
  /** The maximum length of an encoded id in characters; the service refuses longer ones. */
  readonly maxIdLength: number;
  /** Creates a secret, durably when it returns. `already_exists` when the id is taken, also by a system secret. */
  create(id: SecretId, input: SecretContent, options?: StoreCallOptions): Promise<SecretRecord>;
  /** Replaces the value and keeps creation time and type. `not_found` also for a system secret. */
  update(id: SecretId, value: SecretValue, options?: StoreCallOptions): Promise<SecretRecord>;
  /**
   * The record of a secret; undefined when it is missing, or a system secret and those aren't included. Never decrypts.
   */
  get(id: SecretId, options?: StoreCallOptions): Promise<SecretRecord | undefined>;
  /** Deletes a secret. `not_found` when it is missing, or a system secret and those aren't included. */
  delete(id: SecretId, options?: StoreCallOptions): Promise<void>;
  /**
   * Lists one page. `page_token_invalid` for a token of another store, scope or kind; `page_token_expired` for an old
   * one.
   */
  list(request: ListRequest, options?: StoreCallOptions): Promise<ListPage>;
  /** The current value, or undefined. For fetchers only: includes system secrets. */
  read(id: SecretId, options?: StoreCallOptions): Promise<SecretValue | undefined>;
  /**
   * Calls `listener` in order after each change by any process. Returns a function that stops it. A store that has to
   * connect first sends `reset` once it receives changes.
   */
  watch(listener: (change: StoreChange) => void): () => void;
  /** Throws when the store is not available; the message has the reason. */
  check(options?: StoreCallOptions): Promise<void>;
  close(): Promise<void>;
}
