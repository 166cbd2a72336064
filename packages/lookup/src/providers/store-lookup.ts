import type { SecretStore } from "@flyte-secrets/core";
import { type CachedLookup, type CachedLookupOptions, createCachedLookup } from "../cache/cached-lookup.ts";
import { createStoreFetcher } from "./store-fetcher.ts";

export interface StoreLookupOptions extends Omit<CachedLookupOptions, "fetcher" | "expiry"> {
  readonly store: Pick<SecretStore, "read" | "watch" | "check">;
}

/** What a change feed keeps right has no expiry. */
const NO_EXPIRY = { ttlMs: Number.POSITIVE_INFINITY, negativeTtlMs: Number.POSITIVE_INFINITY, staleMs: 0 };

/**
 * A lookup over a store that tells its changes: values and what isn't there stay in memory until the store says that they
 * changed. The store stays the caller's to close, after the lookup.
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
