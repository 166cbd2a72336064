import type { Config } from "@flyte-secrets/config";
import type { Clock, SecretStore } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { type CachedLookup, createCachedLookup } from "./cache/cached-lookup.ts";
import type { LookupMetrics } from "./cache/lookup-metrics.ts";
import { type CachedGroupLookup, createGroupLookup } from "./group-lookup.ts";
import { createNamedFetcher } from "./providers/named-fetcher.ts";
import { openBackend } from "./providers/open-fetcher.ts";
import { createStoreLookup } from "./providers/store-lookup.ts";
import { createNamespaceLookup } from "./watched/namespace-lookup.ts";

/** What values may come from beside the cloud; each is asked for only by the type that needs it, and stays the caller's to close. */
export interface LookupSources {
  /** For type Store. */
  openStore(): Promise<SecretStore>;
  /** For type K8s, and Store where that is in a cluster. Throws `invalid_config` where there is no cluster. */
  openKube(): Promise<KubeClient>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: LookupMetrics;
}

/**
 * The lookup of a server that admits pods, over what `webhook.embeddedSecretManagerConfig.type` names: watched where that tells its
 * changes, else cached as `cache` says.
 */
export async function openLookup({ secret, webhook, cache }: Config, sources: LookupSources): Promise<CachedLookup> {
  const { embeddedSecretManagerConfig: embedded } = webhook;
  const { size, defaultExpiration, notFoundExpiration, staleWhileDown } = cache.inMemoryFixedSize;
  const { clock, log, metrics } = sources;
  const maxIdLength = webhook.limits.idLength;
  const memory = {
    clock: clock.elapsed,
    maxBytes: size,
    timeoutMs: cache.fetchTimeout,
    maxFetches: cache.fetchesUnderWay,
    maxIdLength,
    log,
    metrics,
  };
  const watch = async (namespace: string) => {
    const client = await sources.openKube();
    return createNamespaceLookup({ client, namespace, staleMs: staleWhileDown, maxIdLength, clock, log, metrics });
  };
  switch (embedded.type) {
    case "Store":
      if (secret.store.type === "Kubernetes") return await watch(secret.kubernetes.namespace);
      return createStoreLookup({ store: await sources.openStore(), ...memory });
    case "K8s":
      return await watch(embedded.k8sConfig.namespace);
    case "AWS":
    case "GCP":
    case "Azure":
    case "Vault": {
      const expiry = { ttlMs: defaultExpiration, negativeTtlMs: notFoundExpiration, staleMs: staleWhileDown };
      const backend = await openBackend(embedded);
      const lookup = createCachedLookup({ fetcher: createNamedFetcher(backend), expiry, ...memory });
      return embedded.type === "AWS" ? withGroups(lookup, createGroupLookup({ backend, expiry, ...memory })) : lookup;
    }
  }
}

function withGroups(lookup: CachedLookup, groups: CachedGroupLookup): CachedLookup {
  return {
    ...lookup,
    findInGroup: groups.findInGroup,
    clear() {
      lookup.clear();
      groups.clear();
    },
    async close() {
      groups.close();
      await lookup.close();
    },
  };
}
