import type { SecretId, SecretScope } from "./secret-id.ts";
import type { SecretValue } from "./secret-value.ts";

/** `generic`, or a `.dockerconfigjson` for pulling images. */
export type SecretType = "generic" | "image_pull";

/** Whether one cluster has the secret; `unknown` when the cluster could not be asked. */
export interface ClusterPresence {
  readonly cluster: string;
  readonly presence: "present" | "missing" | "unknown";
}

/** All there is to know about a stored secret but its value. */
export interface SecretRecord {
  readonly id: SecretId;
  readonly type: SecretType;
  readonly createdAt: Date;
  /** When the value was last written; undefined where the store doesn't know. */
  readonly updatedAt?: Date;
  /** Labelled `app.flyte.org/system=true` by an operator: hidden unless asked for. */
  readonly system: boolean;
  readonly clusters: readonly ClusterPresence[];
}

export interface SecretInput {
  readonly value: SecretValue;
  readonly type: SecretType;
}

export interface ListRequest {
  /** Entries of exactly this domain or project; an empty part matches all. */
  readonly scope: SecretScope;
  /** Entries a page, 1 or more. */
  readonly limit: number;
  /** Empty for the first page, else the token of the page before. */
  readonly token: string;
  /** Positions by cluster name, honoured beside `token`. */
  readonly clusterTokens: Readonly<Record<string, string>>;
  readonly includeSystem: boolean;
}

export interface ListPage {
  /** In a stable order. */
  readonly entries: readonly SecretRecord[];
  /** Empty on the last page. Carries the whole position. */
  readonly token: string;
  readonly clusterTokens: Readonly<Record<string, string>>;
}

/** One change of a store, as its change feed tells it. `reset` means: anything may have changed, forget what you hold. */
export type StoreChange =
  | { readonly kind: "put"; readonly id: SecretId }
  | { readonly kind: "delete"; readonly id: SecretId }
  | { readonly kind: "reset" };

/**
 * Metadata of an update or delete, `true` for {@link CallOptions.force}: Flyte's messages have no field for it, and its
 * clients never send it. It guards against mistakes alone: whoever may write may send it.
 */
export const FORCE_HEADER = "flyte-secrets-force";

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** With false (the default) a system secret counts as absent. */
  readonly includeSystem?: boolean;
  /** Update and delete also what something else keeps, such as an External Secret. Default: `call_refused`. */
  readonly force?: boolean;
}

/**
 * Keeps secrets. One interface and one contract suite for every store. "Not there" is a value where a question is asked
 * (`get`, `read`) and an error where a change is asked for (`update`, `delete`); everything else that goes wrong throws a
 * SecretsError (`store_unavailable`, `store_full`, `store_read_only`, `credentials_refused`, ...), and then nothing was written.
 * Ids are valid: the service checks them before it calls.
 */
export interface SecretStore {
  /** For messages and telemetry, such as `Embedded`. */
  readonly name: string;
  /** The largest value it takes, in bytes; a larger one is `value_too_large` before anything is written. */
  readonly maxValueBytes: number;
  /** The longest encoded id it takes, in characters; the service refuses longer ones. */
  readonly maxIdLength: number;
  /** Durable when it returns. `already_exists` when the id is taken, also by a system secret. */
  create(id: SecretId, input: SecretInput, options?: CallOptions): Promise<SecretRecord>;
  /** Replaces the value whole and keeps creation time and type. `not_found` also for a system secret. */
  update(id: SecretId, value: SecretValue, options?: CallOptions): Promise<SecretRecord>;
  /** Undefined when it isn't there, or is a system secret and those were not asked for. Never decrypts. */
  get(id: SecretId, options?: CallOptions): Promise<SecretRecord | undefined>;
  /** `not_found` when it isn't there, or is a system secret and those were not asked for. */
  delete(id: SecretId, options?: CallOptions): Promise<void>;
  /** `page_token_invalid` for a token of another store, scope or kind; `page_token_expired` for one that is too old. */
  list(request: ListRequest, options?: CallOptions): Promise<ListPage>;
  /** The value as it is now, or undefined. For fetchers only: system secrets are included. */
  read(id: SecretId, options?: CallOptions): Promise<SecretValue | undefined>;
  /**
   * Calls `listener` after each change, by whichever process, in order; returns the function that ends it. A store that has to
   * connect first says `reset` when it hears of changes.
   */
  watch(listener: (change: StoreChange) => void): () => void;
  /** Throws when the store does not answer now; the message says why. */
  check(options?: CallOptions): Promise<void>;
  close(): Promise<void>;
}
