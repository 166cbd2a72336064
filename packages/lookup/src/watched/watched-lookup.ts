import {
  type Clock,
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
import { type KubeClient, runInformer, SECRETS } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { type CachedLookup, withBroaderScopes } from "../cache/cached-lookup.ts";
import type { LookupMetrics } from "../cache/lookup-metrics.ts";
import { createLookupPlanner, type LookupPlan, toLookupResult } from "../cache/lookup-plan.ts";
import { createLookup } from "../direct-lookup.ts";
import { readAsEmpty } from "../providers/failures.ts";
import { createKubernetesProvider } from "../providers/kubernetes/provider.ts";
import { createProviderFetcher } from "../providers/secret-provider.ts";
import { WatchedSecrets } from "./watched-secrets.ts";

export interface WatchedLookupOptions {
  readonly client: Pick<KubeClient, "list" | "watch" | "get">;
  /** Namespace of the managed Secrets. */
  readonly namespace: string;
  /** How long memory is used while the API server cannot be reached. */
  readonly staleMs: number;
  /** Characters of an encoded id; longer ones are not looked up. See `lookupIds`. */
  readonly maxIdLength?: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: LookupMetrics;
}

/**
 * A lookup in the managed Secrets of a namespace. A watch keeps all of them in memory, so a lookup needs no call to the
 * API server and a change is seen as soon as the watch delivers it. While the watch is broken or behind, Secrets are
 * read directly (W-19, W-21).
 */
export function createWatchedLookup(options: WatchedLookupOptions): CachedLookup {
  const { client, namespace, staleMs, clock, log, metrics } = options;
  const secrets = new WatchedSecrets();
  const informer = runInformer({
    client,
    resource: secrets.resource,
    selector: { namespace },
    handler: secrets,
    clock,
    log,
  });
  const raceSignal = createSignalRace();

  const fetcher = createProviderFetcher(
    createKubernetesProvider(async (name, call) => {
      const read = secrets.beginRead();
      const secret = await client.get(SECRETS, { namespace, name }, call);
      secrets.recordRead(name, secret, read);
      return secret;
    }, namespace),
  );
  const direct = createLookup({ fetcher, maxIdLength: options.maxIdLength });
  const planFor = createLookupPlanner(fetcher, options.maxIdLength);

  /**
   * A resumed watch continues where it broke off, so for a moment it is behind what was read meanwhile. Values that did
   * not fit into memory are always read.
   */
  const isStale = ({ steps }: LookupPlan) => steps.some(({ text }) => secrets.isStale(text));

  function answerFromMemory({ steps, notFound }: LookupPlan): LookupResult {
    for (const step of steps) {
      const value = secrets.get(step.text);
      if (value !== undefined) return toLookupResult(step, value, namespace);
      if (secrets.isEmpty(step.text)) throw readAsEmpty(fetcher.name, step.text);
    }
    for (const { id, text } of steps) {
      const holder = secrets.misnamed.find(text);
      if (holder === undefined) continue;
      const name = kubernetesSecretName(id);
      const hint = `Secret ${holder} in namespace ${namespace} has that data key, but should be named ${name}`;
      return { ...notFound, hint };
    }
    return notFound;
  }

  /** For the time before the first list, and while the watch is broken or behind. */
  async function findWithoutWatch(scope: SecretScope, key: string, signal?: AbortSignal): Promise<LookupResult> {
    const plan = planFor(scope, key);
    if (informer.staleReason() !== undefined || isStale(plan)) {
      try {
        const answer = await direct.find(scope, key, signal && { signal });
        metrics.answered("backend");
        return answer;
      } catch (error) {
        const isDown = isSecretsError(error, "store_unavailable", "deadline_exceeded");
        if (!isDown || !informer.hasSynced() || informer.silentMs() >= staleMs || isStale(plan)) throw error;
        metrics.staleServed();
      }
    }
    if (!informer.hasSynced()) {
      await raceSignal(signal, () => informer.synced);
      return await findWithoutWatch(scope, key, signal);
    }
    metrics.answered("memory");
    return answerFromMemory(plan);
  }

  metrics.watchOpened(() => ({ silentMs: informer.silentMs(), isFresh: informer.isFresh() }));
  const lookup: ScopeLookup & Omit<CachedLookup, keyof SecretLookup> = {
    find(scope, key, { signal } = {}) {
      const plan = planFor(scope, key);
      if (!informer.isFresh() || isStale(plan)) return findWithoutWatch(scope, key, signal);
      metrics.answered("memory");
      return answerFromMemory(plan);
    },
    // The watch delivers the change a moment later.
    invalidate(id) {
      for (const each of withBroaderScopes(id)) secrets.markStale(encodeSecretId(each));
    },
    clear() {},
    async ready() {
      // A watch that broke a moment ago is no reason to be taken out of service: it breaks for every replica.
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
