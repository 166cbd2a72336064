import type { Clock } from "@flyte-secrets/core";
import {
  createSignalRace,
  encodeSecretId,
  isSecretsError,
  kubernetesSecretName,
  type LookupResult,
  type ScopeLookup,
  type SecretLookup,
  type SecretScope,
  SecretsError,
  withoutGroups,
} from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { runInformer, SECRETS } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { type CachedLookup, withBroader } from "../cache/cached-lookup.ts";
import type { LookupMetrics } from "../cache/lookup-metrics.ts";
import { createPlanner, foundAt, type LookupPlan } from "../cache/lookup-plan.ts";
import { createLookup } from "../lookup.ts";
import { readAsEmpty } from "../providers/fetch-failures.ts";
import { openKubernetes } from "../providers/kubernetes-fetcher.ts";
import { createNamedFetcher } from "../providers/named-fetcher.ts";
import { NamespaceSecrets } from "./namespace-secrets.ts";

export interface NamespaceLookupOptions {
  readonly client: Pick<KubeClient, "list" | "watch" | "get">;
  /** Of the managed Secrets. */
  readonly namespace: string;
  /** How long what is in memory is used while the API server cannot be asked. */
  readonly staleMs: number;
  /** Characters of an encoded id; longer ones are not looked up. See `lookupIds`. */
  readonly maxIdLength?: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: LookupMetrics;
}

/**
 * A lookup in the managed Secrets of a namespace, all of which a watch keeps in memory: nothing is asked of the API server at a
 * lookup, and a change is seen as soon as the API server tells it. While it does not tell, each lookup asks it.
 */
export function createNamespaceLookup(options: NamespaceLookupOptions): CachedLookup {
  const { client, namespace, staleMs, clock, log, metrics } = options;
  const secrets = new NamespaceSecrets();
  const informer = runInformer({ client, resource: SECRETS, selector: { namespace }, handler: secrets, clock, log });
  const raceSignal = createSignalRace();

  const fetcher = createNamedFetcher(
    openKubernetes(
      {
        async readSecret(namespace, name, call) {
          const question = secrets.ask();
          const secret = await client.get(SECRETS, { namespace, name }, call);
          secrets.noteRead(name, secret, question);
          return secret && (secret.data ?? {});
        },
      },
      namespace,
    ),
  );
  const direct = createLookup({ fetcher, maxIdLength: options.maxIdLength });
  const planFor = createPlanner(fetcher, options.maxIdLength);

  /** A watch that is back begins where it was, so for a moment it is behind what was read meanwhile. */
  const isBehind = ({ steps }: LookupPlan) => steps.some(({ text }) => secrets.isBehind(text));

  function answerFromMemory({ steps, foundNowhere }: LookupPlan): LookupResult {
    for (const step of steps) {
      const value = secrets.get(step.text);
      if (value !== undefined) return foundAt(step, value, namespace);
      if (secrets.isEmpty(step.text)) throw readAsEmpty(fetcher.name, step.text);
    }
    for (const { id, text } of steps) {
      const holder = secrets.misnamed.find(text);
      if (holder === undefined) continue;
      const hint = `Secret ${holder} in namespace ${namespace} has that data key, but should be named ${kubernetesSecretName(id)}`;
      return { ...foundNowhere, hint };
    }
    return foundNowhere;
  }

  /** When the watch has not told everything yet, or is not to be trusted. */
  async function findOtherwise(scope: SecretScope, key: string, signal?: AbortSignal): Promise<LookupResult> {
    const plan = planFor(scope, key);
    if (informer.staleReason() !== undefined || isBehind(plan)) {
      try {
        const answer = await direct.find(scope, key, signal && { signal });
        metrics.answered("backend");
        return answer;
      } catch (error) {
        const isDown = isSecretsError(error, "store_unavailable", "deadline_exceeded");
        if (!isDown || !informer.hasSynced() || informer.silentMs() >= staleMs || isBehind(plan)) throw error;
        metrics.expiredUsed();
      }
    }
    if (!informer.hasSynced()) await raceSignal(signal, () => informer.synced);
    metrics.answered("memory");
    return answerFromMemory(plan);
  }

  metrics.watching(() => ({ silentMs: informer.silentMs(), isFresh: informer.isFresh() }));
  const lookup: ScopeLookup & Omit<CachedLookup, keyof SecretLookup> = {
    find(scope, key, { signal } = {}) {
      const plan = planFor(scope, key);
      if (!informer.isFresh() || isBehind(plan)) return findOtherwise(scope, key, signal);
      metrics.answered("memory");
      return answerFromMemory(plan);
    },
    // Ahead of the watch, which tells a moment later.
    invalidate(id) {
      for (const each of withBroader(id)) secrets.doubt(encodeSecretId(each));
    },
    clear() {},
    async ready() {
      // A watch that breaks for a moment is no reason to send clients elsewhere: it breaks for every replica.
      const problem = informer.hasSynced() ? informer.staleReason() : informer.problem();
      if (problem === undefined) return;
      throw new SecretsError(
        "store_unavailable",
        `the Secrets of namespace ${namespace} cannot be watched: ${problem}`,
      );
    },
    close: () => informer.close(),
  };
  return withoutGroups(lookup, fetcher.name);
}
