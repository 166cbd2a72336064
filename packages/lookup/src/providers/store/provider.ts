import {
  type FetchedValue,
  isSecretsError,
  type SecretFetcher,
  type SecretId,
  type SecretStore,
} from "@flyte-secrets/core";
import { type CachedLookup, type CachedLookupOptions, createCachedLookup } from "../../cache/cached-lookup.ts";

/**
 * Fetches values from a store without a cache, for a store on this machine: a read of the embedded one takes about 30
 * µs.
 */
export function createStoreFetcher(store: Pick<SecretStore, "read">): SecretFetcher {
  return {
    name: "Store",
    async fetch(ids, options) {
      const fetched = new Map<SecretId, FetchedValue>();
      for (const id of ids) {
        try {
          const value = await store.read(id, options);
          if (value) fetched.set(id, value);
        } catch (error) {
          if (!isSecretsError(error, "store_damaged", "value_unreadable")) throw error;
          fetched.set(id, error);
        }
      }
      return fetched;
    },
  };
}

export interface StoreLookupOptions extends Omit<CachedLookupOptions, "fetcher" | "expiry"> {
  readonly store: Pick<SecretStore, "read" | "watch" | "check">;
}

/** Values are dropped when the store reports a change, and need no expiry. */
const NO_EXPIRY = { ttlMs: Number.POSITIVE_INFINITY, negativeTtlMs: Number.POSITIVE_INFINITY, staleMs: 0 };

/**
 * A lookup over a store that reports its changes: values and "not found" stay in memory until the store reports a
 * change. The store is not closed by the lookup; close it after the lookup.
 */
export function createStoreLookup({ store, ...options }: StoreLookupOptions): CachedLookup {
  const lookup = createCachedLookup({ ...options, fetcher: createStoreFetcher(store), expiry: NO_EXPIRY });
  const stopWatching = store.watch((change) => {
    if (change.kind === "reset") lookup.clear();
    else lookup.invalidate(change.id);
  });
  return {
    ...lookup,
    ready: () => store.check(),
    async close() {
      stopWatching();
      await lookup.close();
    },
  };
}
