import {
  createSignalRace,
  encodeSecretId,
  type LookupResult,
  type ScopeLookup,
  type SecretFetcher,
  type SecretId,
  type SecretLookup,
  withoutGroups,
} from "@flyte-secrets/core";
import type { Logger } from "pino";
import type { LookupMetrics } from "./lookup-metrics.ts";
import { createLookupPlanner, type LookupPlan, toLookupResult } from "./lookup-plan.ts";
import { type Expiry, ValueCache } from "./value-cache.ts";

export interface CachedLookupOptions {
  readonly fetcher: SecretFetcher;
  readonly expiry: Expiry;
  /** See `ValueCacheOptions`. */
  readonly maxBytes: number;
  /** Limit of one call to the backend. */
  readonly timeoutMs: number;
  /** See `ValueCacheOptions`. */
  readonly maxFetches?: number;
  /** Characters of an encoded id; longer ones are not looked up. See `lookupIds`. */
  readonly maxIdLength?: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly log: Logger;
  readonly metrics: LookupMetrics;
}

/** A lookup with its answers in memory. */
export interface CachedLookup extends SecretLookup {
  /** A secret was changed: forgets the answers of its name at its scope and at the broader ones. */
  invalidate(id: SecretId): void;
  /** Something was changed, and it is not known what: forgets everything. */
  clear(): void;
  /** For readiness: resolves if lookups can be answered; throws a `SecretsError` with the reason if they can't. */
  ready(): Promise<void>;
  /** Forgets everything and aborts the calls in flight. */
  close(): Promise<void>;
}

/**
 * A lookup with values and "not found" in memory. What several callers need at the same moment, such as all secrets of
 * a pod, is fetched in one call. A scope counts as empty only if the backend answered so and the answer has not
 * expired; if the backend fails, the lookup throws as {@link SecretLookup} describes (W-19).
 */
export function createCachedLookup(options: CachedLookupOptions): CachedLookup {
  const { fetcher, clock, metrics } = options;
  const cache = new ValueCache<SecretId>({ ...options, fetchAll: (ids, call) => fetcher.fetch(ids, call) });
  const planFor = createLookupPlanner(fetcher, options.maxIdLength);
  const raceSignal = createSignalRace();

  /** Undefined if something has to be fetched. */
  function answerFromMemory({ steps, notFound }: LookupPlan): LookupResult | undefined {
    const now = clock();
    for (const step of steps) {
      const cached = cache.peek(step, now);
      if (cached === undefined) return undefined;
      if (cached.value !== undefined) return toLookupResult(step, cached.value, fetcher.namespace);
    }
    return notFound;
  }

  async function answerFromBackend({ steps, notFound }: LookupPlan): Promise<LookupResult> {
    const now = clock();
    const answers = steps.map((step) => [step, cache.peek(step, now) ?? cache.fetch(step)] as const);
    // All of them, so that no rejection is left unhandled when a narrower scope decides.
    await Promise.allSettled(answers.map(([, answer]) => answer));
    for (const [step, outcome] of answers) {
      const { value } = await outcome;
      if (value !== undefined) return toLookupResult(step, value, fetcher.namespace);
    }
    return notFound;
  }

  const lookup: ScopeLookup & Omit<CachedLookup, keyof SecretLookup> = {
    find(scope, key, { signal } = {}) {
      const plan = planFor(scope, key);
      const answer = answerFromMemory(plan);
      metrics.answered(answer === undefined ? "backend" : "memory");
      return answer ?? raceSignal(signal, () => answerFromBackend(plan));
    },
    invalidate(id) {
      for (const each of withBroaderScopes(id)) cache.drop(encodeSecretId(each));
    },
    clear: () => cache.clear(),
    // A backend that is down affects only the pods that need it.
    ready: () => Promise.resolve(),
    close: async () => cache.close(),
  };
  return withoutGroups(lookup, fetcher.name);
}

/** The id, and the ids of its name at the broader scopes. */
export function withBroaderScopes(id: SecretId): readonly SecretId[] {
  const ids = [id];
  if (id.project !== "") ids.push({ ...id, project: "" });
  if (id.domain !== "") ids.push({ ...id, domain: "", project: "" });
  return ids;
}
