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

/** One id under which a key may be found, with the attempts that are reported if it is found there. */
export interface LookupStep extends LookupId {
  /** The encoded id. */
  readonly text: string;
  readonly attempts: readonly LookupAttempt[];
}

/** Where a key is looked up, narrowest scope first. The same for every lookup of that key from that scope. */
export interface LookupPlan {
  readonly steps: readonly LookupStep[];
  /** The answer if no step finds it. */
  readonly notFound: Extract<LookupResult, { found: false }>;
}

/** The fetcher that a plan is made for. */
export type PlannedFetcher = Pick<SecretFetcher, "name" | "nameOf">;

/** Plans the lookup of a key under `ids`, which {@link lookupIds} returned. */
export function planLookup(fetcher: PlannedFetcher, ids: readonly LookupId[]): LookupPlan {
  const attempts = ids.map(({ level, id }): LookupAttempt => {
    const name = fetcher.nameOf?.(id) ?? encodeSecretId(id);
    return { provider: fetcher.name, level, id: name, outcome: "not found" };
  });
  const steps = ids.map(({ level, id }, at): LookupStep => {
    const found = attempts.slice(at, at + 1).map((attempt) => ({ ...attempt, outcome: "found" }) as const);
    return { level, id, text: encodeSecretId(id), attempts: [...attempts.slice(0, at), ...found] };
  });
  return { steps, notFound: { found: false, attempts } };
}

/** The answer if a step finds its value. */
export function toLookupResult(
  { id, level, attempts }: LookupStep,
  value: SecretValue,
  namespace?: string,
): LookupResult {
  return namespace === undefined
    ? { found: true, id, level, value, attempts }
    : { found: true, id, level, value, namespace, attempts };
}

/** Bytes of all remembered plans: whoever creates pods can make up any number of keys. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Approximate size of a plan without its texts. */
const PLAN_BYTES = 1_500;

/**
 * {@link planLookup} for a lookup that answers from memory: a plan is made once and remembered. Throws
 * `invalid_argument` as {@link lookupIds} does, and then remembers nothing.
 */
export function createLookupPlanner(
  fetcher: PlannedFetcher,
  maxIdLength?: number,
): (scope: SecretScope, key: string) => LookupPlan {
  // One map for each part: all secrets of a pod have the same parts, so that joining them into one name would cost
  // more.
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
