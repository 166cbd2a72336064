export type { CachedLookup } from "./cache/cached-lookup.ts";
export { type LookupMetrics, NO_METRICS, type WatchState } from "./cache/lookup-metrics.ts";
export { raceSignal } from "./cache/race-signal.ts";
export { createLookup } from "./lookup.ts";
export { type LookupSources, openLookup } from "./open-lookup.ts";
export { type FetcherSources, openFetcher } from "./providers/open-fetcher.ts";
export { createStoreFetcher } from "./providers/store-fetcher.ts";
