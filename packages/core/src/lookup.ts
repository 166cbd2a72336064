import type { ScopeLevel, SecretId, SecretScope } from "./secret-id.ts";
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
  | { readonly found: false; readonly attempts: readonly LookupAttempt[] };

/**
 * Finds the value of a key for a pod: project scope, then domain, then global; the narrowest scope where it exists wins
 * (spec page 4, Embedded). "Found nowhere" is a value. A backend that is broken throws: it never turns into a broader secret.
 */
export interface SecretLookup {
  find(scope: SecretScope, key: string, options?: { signal?: AbortSignal }): Promise<LookupResult>;
}

/**
 * Reads values from one backend by encoded id. Absent ids are left out of the answer; anything else that goes wrong throws.
 * The ids of one call may be fetched together.
 */
export interface SecretFetcher {
  /** Such as `Store`, `AWS`; for messages. */
  readonly name: string;
  fetch(ids: readonly SecretId[], options?: { signal?: AbortSignal }): Promise<ReadonlyMap<SecretId, SecretValue>>;
}
