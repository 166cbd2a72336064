import {
  ByteBudget,
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
  readonly foundNowhere: Extract<LookupResult, { found: false }>;
}

/** What a plan is made for. */
export type PlannedFetcher = Pick<SecretFetcher, "name" | "nameOf">;

/** Plans the lookup of a key under `ids`, which are those of {@link lookupIds}. */
export function planLookup(fetcher: PlannedFetcher, ids: readonly LookupId[]): LookupPlan {
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

/** What all remembered plans may take: whoever creates pods can make up any number of keys. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Rough cost of a plan beside its texts. */
const PLAN_BYTES = 1_500;

/**
 * {@link planLookup} for a lookup that answers from memory: a plan is made once. It throws `invalid_argument` as {@link lookupIds}
 * does, and remembers nothing then.
 */
export function createPlanner(
  fetcher: PlannedFetcher,
  maxIdLength?: number,
): (scope: SecretScope, key: string) => LookupPlan {
  // A map for each part: the parts are the same strings for all secrets of a pod, so that making one name of them costs more.
  const byOrg: ByName<ByName<ByName<ByName<LookupPlan>>>> = new Map();
  const budget = new ByteBudget(MAX_BYTES, () => byOrg.clear());
  return (scope, key) => {
    const known = byOrg.get(scope.org)?.get(scope.domain)?.get(scope.project)?.get(key);
    if (known) return known;
    const plan = planLookup(fetcher, lookupIds(scope, key, maxIdLength));
    const texts = plan.steps.reduce(
      (sum, { text, attempts }) => sum + text.length + (attempts.at(-1)?.id.length ?? 0),
      0,
    );
    if (budget.admit(PLAN_BYTES + texts)) {
      within(within(within(byOrg, scope.org), scope.domain), scope.project).set(key, plan);
    }
    return plan;
  };
}

type ByName<T> = Map<string, T>;

function within<T>(maps: ByName<ByName<T>>, name: string): ByName<T> {
  const inner = maps.get(name) ?? new Map<string, T>();
  maps.set(name, inner);
  return inner;
}
