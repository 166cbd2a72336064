import type { Clock, SecretStore } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { type CachedLookup, createCachedLookup } from "./cache/cached-lookup.ts";
import type { LookupMetrics } from "./cache/lookup-metrics.ts";
import type { Expiry } from "./cache/value-cache.ts";
import { type CachedGroupLookup, createGroupLookup } from "./providers/aws/group-lookup.ts";
import { openProvider, type ProviderOptions } from "./providers/open-provider.ts";
import { createProviderFetcher } from "./providers/secret-provider.ts";
import { createStoreLookup } from "./providers/store/provider.ts";
import { createWatchedLookup } from "./watched/watched-lookup.ts";

export interface LookupOptions {
  readonly source: LookupSource;
  readonly cache: LookupCacheOptions;
  /** Characters of an encoded id; longer ones are not looked up. */
  readonly maxIdLength: number;
}

/** What values come from: the store that is passed in, the managed Secrets of a namespace, or a secret manager. */
export type LookupSource =
  | { readonly type: "Store" }
  | { readonly type: "K8s"; readonly namespace: string }
  | ProviderOptions;

export interface LookupCacheOptions extends Expiry {
  /** Bytes of values and names that may be held. Not for managed Secrets, all of which are. */
  readonly maxBytes: number;
  /** Limit of one call to the secret manager. */
  readonly timeoutMs: number;
  /** Values that may be fetched at the same time; more are refused. */
  readonly maxFetches: number;
}

/**
 * What a lookup is built on. Store and client are opened only if the source needs them, and are not closed by the
 * lookup.
 */
export interface LookupParts {
  /** For type Store. */
  openStore(): Promise<SecretStore>;
  /** For type K8s. Throws `invalid_config` where there is no cluster. */
  openKube(): Promise<KubeClient>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: LookupMetrics;
}

/**
 * Opens the lookup of a server that admits pods. A source that reports its changes is watched; values of any other are
 * cached until they expire. Throws `invalid_config`, naming the setting that is missing or wrong.
 */
export async function openLookup(
  { source, cache, maxIdLength }: LookupOptions,
  parts: LookupParts,
): Promise<CachedLookup> {
  const { clock, log, metrics } = parts;
  const { ttlMs, negativeTtlMs, staleMs, ...limits } = cache;
  const cached = { ...limits, clock: clock.elapsed, maxIdLength, log, metrics };
  switch (source.type) {
    case "Store":
      return createStoreLookup({ store: await parts.openStore(), ...cached });
    case "K8s": {
      const client = await parts.openKube();
      return createWatchedLookup({ client, namespace: source.namespace, staleMs, maxIdLength, clock, log, metrics });
    }
    case "AWS":
    case "Azure":
    case "GCP":
    case "Vault": {
      const provider = await openProvider(source);
      const options = { ...cached, expiry: { ttlMs, negativeTtlMs, staleMs } };
      const lookup = createCachedLookup({ fetcher: createProviderFetcher(provider), ...options });
      return source.type === "AWS" ? withGroups(lookup, createGroupLookup({ provider, ...options })) : lookup;
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
