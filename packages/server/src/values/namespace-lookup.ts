import { SecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { followObjects } from "../kube/follow-objects.ts";
import type { KubeClient } from "../kube/kube-client.ts";
import { SECRETS } from "../kube/kube-object.ts";
import type { CachedLookup } from "./cached-lookup.ts";
import { readAsEmpty } from "./fetchers/fetch-failures.ts";
import type { LookupMetrics } from "./lookup-metrics.ts";
import { createPlanner, foundAt } from "./lookup-plan.ts";
import { NamespaceSecrets } from "./namespace-secrets.ts";
import { settleBefore } from "./settle-before.ts";

const NAME = "K8s";

export interface NamespaceLookupOptions {
  readonly client: Pick<KubeClient, "list" | "watch">;
  /** Of the managed Secrets. */
  readonly namespace: string;
  /** How long what is in memory is used while the API server is not heard. */
  readonly staleMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: LookupMetrics;
}

/**
 * A lookup in the managed Secrets of a namespace, all of which a watch keeps in memory: nothing is asked of the API server at a
 * lookup, and a change is seen as soon as the API server tells it.
 */
export function createNamespaceLookup(options: NamespaceLookupOptions): CachedLookup {
  const { client, namespace, staleMs, clock, log, metrics } = options;
  const secrets = new NamespaceSecrets();
  const follower = followObjects({ client, resource: SECRETS, selection: { namespace }, sink: secrets, clock, log });
  const planFor = createPlanner({ name: NAME });
  let isSynced = false;
  const synced = follower.synced.then(() => {
    isSynced = true;
  });

  /** Throws once what is in memory is too old to go by. */
  function assertHeard(): void {
    const problem = follower.problem();
    if (problem === undefined) return;
    if (follower.silentMs() >= staleMs) throw cannotFollow(namespace, problem);
    metrics.expiredUsed();
  }

  return {
    async find(scope, key, { signal } = {}) {
      const { steps, foundNowhere } = planFor(scope, key);
      if (!isSynced) await settleBefore(signal, () => synced);
      assertHeard();
      metrics.answered("memory");
      for (const step of steps) {
        const value = secrets.get(step.text);
        if (value !== undefined) return foundAt(step, value, namespace);
        if (secrets.isEmpty(step.text)) throw readAsEmpty(NAME, step.text);
      }
      return foundNowhere;
    },
    // The watch tells.
    invalidate() {},
    clear() {},
    async ready() {
      const problem = follower.problem();
      if (problem !== undefined) throw cannotFollow(namespace, problem);
    },
    close: () => follower.close(),
  };
}

function cannotFollow(namespace: string, problem: string): SecretsError {
  return new SecretsError("store_unavailable", `the Secrets of namespace ${namespace} cannot be followed: ${problem}`);
}
