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

/** One id that a lookup asked a provider for, and what came of it; for messages and `explain`. */
export interface LookupAttempt {
  readonly provider: string;
  readonly level: ScopeLevel;
  /** The id as the provider was asked for it. */
  readonly id: string;
  readonly outcome: "found" | "not found";
}

export type LookupResult =
  | {
      readonly found: true;
      readonly id: SecretId;
      readonly level: ScopeLevel;
      readonly value: SecretValue;
      /** With a value that lies in a cluster as a managed Kubernetes Secret: the namespace where. */
      readonly namespace?: string;
      readonly attempts: readonly LookupAttempt[];
    }
  | {
      readonly found: false;
      readonly attempts: readonly LookupAttempt[];
      /** What is nearly it, such as a Secret of another name than it should have. */
      readonly hint?: string;
    };

/** A value that was found in the secret that a request names by its group. */
export type GroupResult =
  | { readonly found: true; readonly value: SecretValue /** Says which secret this is. */; readonly label: string }
  | { readonly found: false /** What was looked for. */; readonly reason: string };

export interface FindOptions {
  readonly signal?: AbortSignal;
}

/**
 * Finds the value of a key for a pod: project scope, then domain, then global; the narrowest scope where it exists wins
 *. "Found nowhere" is a value. A backend that is broken throws: it never turns into a broader secret.
 * What is in memory is answered at once, or thrown, without a promise.
 */
export interface ScopeLookup {
  find(scope: SecretScope, key: string, options?: FindOptions): MaybePromise<LookupResult>;
}

/**
 * Finds a key in the secret that is called as a request's group, whatever the pod's scope (AWS). To be
 * asked when {@link ScopeLookup.find} has found nothing.
 */
export interface GroupLookup {
  findInGroup(group: string, key: string, options?: FindOptions): Promise<GroupResult>;
}

/**
 * All that a webhook's managers look up. Neither half is optional: what wraps a lookup to record, mask or delay it
 * would otherwise leave one out without anybody's notice. Over a manager without groups, {@link withoutGroups} is the
 * other half.
 */
export interface SecretLookup extends ScopeLookup, GroupLookup {}

/** A lookup in a manager that keeps no secrets by group: none is ever found there. */
export function withoutGroups<Lookup extends ScopeLookup>(lookup: Lookup, manager: string): Lookup & GroupLookup {
  return {
    ...lookup,
    findInGroup: async () => ({ found: false, reason: `${manager} keeps no secrets by group` }),
  };
}

/** A value, or why that one id cannot be read although the backend answers. */
export type FetchedValue = SecretValue | SecretsError;

/**
 * Reads values from one backend. What one id comes to says nothing of the others, which may be other tenants': an absent one
 * is left out of the answer, one that cannot be read has its error in it. Throws when the backend as a whole fails
 * (`store_unavailable`, `credentials_refused`, ...). The ids of one call may be fetched together.
 */
export interface SecretFetcher {
  /** Such as `Store`, `AWS`; for messages. */
  readonly name: string;
  /** The namespace where its values lie as managed Kubernetes Secrets, if they do. */
  readonly namespace?: string;
  /** The id as the backend is asked for it, for messages. The encoded id by default. */
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
 * The ids under which a key may be found, narrowest scope first: project, domain, global, beginning at the level of `scope`.
 * A key is anything a Kubernetes data key may be, which is more than the API takes as a name. Ids of more than `maxIdLength`
 * characters in encoded form can't exist and are left out. Throws `invalid_argument` when none is left, for any other key, and for
 * a scope that breaks the rules: it may come from a pod's labels, and must not spell another's id (N-7).
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
    `key: with ${quote(key)} the encoded id is over the limit of ${maxIdLength} characters (webhook.limits.idLength) at every scope: use a shorter key`,
  );
}
