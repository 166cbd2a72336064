import {
  encodeSecretId,
  type LookupAttempt,
  type LookupId,
  type LookupResult,
  lookupIds,
  type SecretFetcher,
  type SecretScope,
  type SecretValue,
} from "@flyte-secrets/core";

/** One id that a key may be found under, with what is said when it is found there. */
export interface LookupStep extends LookupId {
  /** The encoded id. */
  readonly text: string;
  readonly attempts: readonly LookupAttempt[];
}

/** Where a key is looked for, narrowest scope first. The same for every lookup of that key from that scope. */
export interface LookupPlan {
  readonly steps: readonly LookupStep[];
  /** The answer when no step finds it. */
  readonly foundNowhere: LookupResult;
}

/** What a plan is made for. */
export type PlannedFetcher = Pick<SecretFetcher, "name" | "nameOf">;

/** Plans the lookup of a key. Throws `invalid_argument` for a key or scope that no secret can have. */
export function planLookup(fetcher: PlannedFetcher, scope: SecretScope, key: string): LookupPlan {
  const ids = lookupIds(scope, key);
  const attempts = ids.map(({ level, id }): LookupAttempt => {
    const name = fetcher.nameOf?.(id) ?? encodeSecretId(id);
    return { provider: fetcher.name, level, id: name, outcome: "not found" };
  });
  const steps = ids.map(({ level, id }, at): LookupStep => {
    const found = attempts.slice(at, at + 1).map((attempt) => ({ ...attempt, outcome: "found" }) as const);
    return { level, id, text: encodeSecretId(id), attempts: [...attempts.slice(0, at), ...found] };
  });
  return { steps, foundNowhere: { found: false, attempts } };
}

/** The answer when a step finds its value. */
export function foundAt({ id, level, attempts }: LookupStep, value: SecretValue, namespace?: string): LookupResult {
  return namespace === undefined
    ? { found: true, id, level, value, attempts }
    : { found: true, id, level, value, namespace, attempts };
}

/** Plans are small, but whoever creates pods can make up any number of keys. */
const MAX_PLANS = 10_000;

/** {@link planLookup} for a lookup that answers from memory: a plan is made once. */
export function createPlanner(fetcher: PlannedFetcher): (scope: SecretScope, key: string) => LookupPlan {
  // A map for each part: the parts are the same strings for all secrets of a pod, so that making one name of them costs more.
  const byOrg: ByName<ByName<ByName<ByName<LookupPlan>>>> = new Map();
  let count = 0;
  return (scope, key) => {
    const known = byOrg.get(scope.org)?.get(scope.domain)?.get(scope.project)?.get(key);
    if (known) return known;
    const plan = planLookup(fetcher, scope, key);
    if (count >= MAX_PLANS) {
      byOrg.clear();
      count = 0;
    }
    count++;
    within(within(within(byOrg, scope.org), scope.domain), scope.project).set(key, plan);
    return plan;
  };
}

type ByName<T> = Map<string, T>;

function within<T>(maps: ByName<ByName<T>>, name: string): ByName<T> {
  const inner = maps.get(name) ?? new Map<string, T>();
  maps.set(name, inner);
  return inner;
}
