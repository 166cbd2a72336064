import { SecretsError } from "./errors.ts";
import { quote } from "./foreign-text.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import { DEFAULT_POD_LIMITS } from "./pod-limits.ts";
import {
  checkSecretScope,
  encodeSecretId,
  type ScopeLevel,
  type SecretId,
  type SecretScope,
  scopeLevel,
} from "./secret-id.ts";
import type { SecretValue } from "./secret-value.ts";

/** One id that a lookup tried at a provider, and the outcome; for messages and `explain`. */
export interface LookupAttempt {
  readonly provider: string;
  readonly level: ScopeLevel;
  /** The id in the provider's form. */
  readonly id: string;
  readonly outcome: "found" | "not found";
}

export type LookupResult =
  | {
      readonly found: true;
      readonly id: SecretId;
      readonly level: ScopeLevel;
      readonly value: SecretValue;
      /** The namespace of the managed Kubernetes Secret that holds the value, if one does. */
      readonly namespace?: string;
      readonly attempts: readonly LookupAttempt[];
    }
  | {
      readonly found: false;
      readonly attempts: readonly LookupAttempt[];
      /** A likely mistake, such as a Secret with the right content and a wrong name. */
      readonly hint?: string;
    };

/** The result of a lookup in the secret that a request names by its group. */
export type GroupResult =
  | { readonly found: true; readonly value: SecretValue /** Identifies the secret. */; readonly label: string }
  | { readonly found: false /** What was looked up, and why nothing was found. */; readonly reason: string };

export interface FindOptions {
  readonly signal?: AbortSignal;
}

/**
 * Finds the value of a key for a pod: at project scope, then domain, then global. The narrowest scope that has it wins.
 * "Not found" is a result. A failing backend throws, so that a broader secret never replaces one that can't be read.
 * Results in memory are returned, or thrown, without a promise.
 */
export interface ScopeLookup {
  find(scope: SecretScope, key: string, options?: FindOptions): MaybePromise<LookupResult>;
}

/**
 * Finds a key in the secret whose name is a request's group, independently of the pod's scope (AWS). Used when {@link
 * ScopeLookup.find} has found nothing.
 */
export interface GroupLookup {
  findInGroup(group: string, key: string, options?: FindOptions): Promise<GroupResult>;
}

/**
 * All lookups of the secret managers. Both halves are required, because a wrapper that records, masks or delays a
 * lookup could otherwise forget one unnoticed. {@link withoutGroups} adds the other half for backends without groups.
 */
export interface SecretLookup extends ScopeLookup, GroupLookup {}

/** Adds a group lookup that finds nothing, for a backend that keeps no secrets by group. */
export function withoutGroups<Lookup extends ScopeLookup>(lookup: Lookup, manager: string): Lookup & GroupLookup {
  return {
    ...lookup,
    findInGroup: async () => ({ found: false, reason: `${manager} keeps no secrets by group` }),
  };
}

/** A value, or the error for one id that can't be read although the backend works. */
export type FetchedValue = SecretValue | SecretsError;

/**
 * Reads values from one backend. Ids are independent of each other, because they may belong to different tenants: an
 * absent one is missing from the result, and one that can't be read has an error there. Throws when the backend as a
 * whole fails (`store_unavailable`, `credentials_refused`, ...). May fetch the ids of one call together.
 */
export interface SecretFetcher {
  /** Such as `Store`, `AWS`; for messages. */
  readonly name: string;
  /** The namespace of the managed Kubernetes Secrets that hold its values, if they do. */
  readonly namespace?: string;
  /** The id in the backend's form, for messages. The encoded id by default. */
  nameOf?(id: SecretId): string;
  fetch(ids: readonly SecretId[], options?: { signal?: AbortSignal }): Promise<ReadonlyMap<SecretId, FetchedValue>>;
}

const LOOKUP_KEY = /^[-._a-zA-Z0-9]+$/;

/** One id to look a key up under, and the scope it stands for. */
export interface LookupId {
  readonly level: ScopeLevel;
  readonly id: SecretId;
}

/**
 * The ids at which to look a key up, narrowest scope first: project, domain, global, beginning at the level of `scope`.
 * A key is any legal Kubernetes data key, which is more than the API accepts as a name. Ids whose encoded form is
 * longer than `maxIdLength` characters can't exist and are left out. Throws `invalid_argument` when none is left, for
 * an illegal key, and for an invalid scope, which may come from a pod's labels and must not encode to another scope's
 * id (N-7).
 */
export function lookupIds(scope: SecretScope, key: string, maxIdLength = DEFAULT_POD_LIMITS.idLength): LookupId[] {
  checkSecretScope(scope);
  if (key.length > maxIdLength) throw tooLong(key, maxIdLength);
  if (!LOOKUP_KEY.test(key)) {
    throw new SecretsError("invalid_argument", 'key: must be one or more of a-z, A-Z, 0-9, "-", "." and "_"');
  }
  const { org, domain, project } = scope;
  const all: LookupId[] = [
    { level: "project", id: { org, domain, project, name: key } },
    { level: "domain", id: { org, domain, project: "", name: key } },
    { level: "global", id: { org, domain: "", project: "", name: key } },
  ];
  const ids = all
    .slice(all.findIndex(({ level }) => level === scopeLevel(scope)))
    .filter(({ id }) => encodeSecretId(id).length <= maxIdLength);
  if (ids.length === 0) throw tooLong(key, maxIdLength);
  return ids;
}

function tooLong(key: string, maxIdLength: number): SecretsError {
  return new SecretsError(
    "invalid_argument",
    `key: with ${quote(key)} the encoded id is over the limit of ${maxIdLength} characters ` +
      "(webhook.limits.idLength) at every scope: use a shorter key",
  );
}
