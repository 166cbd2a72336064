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
import { createPlanner, foundAt, type LookupPlan } from "./lookup-plan.ts";
import { type Expiry, ValueCache } from "./value-cache.ts";

export interface CachedLookupOptions {
  readonly fetcher: SecretFetcher;
  readonly expiry: Expiry;
  /** Bytes that may be held; what was not asked for lately is forgotten first. */
  readonly maxBytes: number;
  /** Of one call to the backend. */
  readonly timeoutMs: number;
  /** See `ValueCacheOptions`. */
  readonly maxFetches?: number;
  /** Characters of an encoded id; longer ones are not looked up. See `lookupIds`. */
  readonly maxIdLength?: number;
  /** Milliseconds that only grow. */
  readonly clock: () => number;
  readonly log: Logger;
  readonly metrics: LookupMetrics;
}

/** A lookup that keeps what it found. */
export interface CachedLookup extends SecretLookup {
  /** Forgets what is known of a name at the id's scope and the broader ones: it was changed. */
  invalidate(id: SecretId): void;
  /** Forgets everything: what changed is not known. */
  clear(): void;
  /** Resolves once it can answer; throws `SecretsError` that says why it can't now. For readiness. */
  ready(): Promise<void>;
  /** Forgets everything and ends the calls under way. */
  close(): Promise<void>;
}

/**
 * A lookup with values, and what isn't there, in memory. All that several callers need at the
 * same moment is fetched in one call, so the secrets of a pod are. A scope counts as empty only when the backend said so, and
 * lately; when it can't be asked, the lookup throws as {@link SecretLookup} says.
 */
export function createCachedLookup(options: CachedLookupOptions): CachedLookup {
  const { fetcher, clock, metrics } = options;
  const cache = new ValueCache<SecretId>({ ...options, fetchAll: (ids, call) => fetcher.fetch(ids, call) });
  const planFor = createPlanner(fetcher, options.maxIdLength);
  const raceSignal = createSignalRace();

  /** Undefined when the backend must be asked. */
  function answerFromMemory({ steps, foundNowhere }: LookupPlan): LookupResult | undefined {
    const now = clock();
    for (const step of steps) {
      const known = cache.peek(step, now);
      if (known === undefined) return undefined;
      if (known.value !== undefined) return foundAt(step, known.value, fetcher.namespace);
    }
    return foundNowhere;
  }

  async function answerFromBackend({ steps, foundNowhere }: LookupPlan): Promise<LookupResult> {
    const now = clock();
    const known = steps.map((step) => [step, cache.peek(step, now) ?? cache.fetch(step)] as const);
    // Together, so that none is left to fail unheard when a narrower one decides.
    await Promise.allSettled(known.map(([, outcome]) => outcome));
    for (const [step, outcome] of known) {
      const { value } = await outcome;
      if (value !== undefined) return foundAt(step, value, fetcher.namespace);
    }
    return foundNowhere;
  }

  const lookup: ScopeLookup & Omit<CachedLookup, keyof SecretLookup> = {
    find(scope, key, { signal } = {}) {
      const plan = planFor(scope, key);
      const answer = answerFromMemory(plan);
      metrics.answered(answer === undefined ? "backend" : "memory");
      return answer ?? raceSignal(signal, () => answerFromBackend(plan));
    },
    invalidate(id) {
      for (const each of withBroader(id)) cache.drop(encodeSecretId(each));
    },
    clear: () => cache.clear(),
    // A backend that is down stops only the pods that need it.
    ready: () => Promise.resolve(),
    close: async () => cache.close(),
  };
  return withoutGroups(lookup, fetcher.name);
}

/** The id, and those of its name at the broader scopes. */
export function withBroader(id: SecretId): readonly SecretId[] {
  const ids = [id];
  if (id.project !== "") ids.push({ ...id, project: "" });
  if (id.domain !== "") ids.push({ ...id, domain: "", project: "" });
  return ids;
}
