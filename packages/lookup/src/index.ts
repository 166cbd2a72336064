export type { CachedLookup } from "./cache/cached-lookup.ts";
export { type LookupMetrics, NO_METRICS, type WatchHealth } from "./cache/lookup-metrics.ts";
export { createLookup } from "./lookup.ts";
export { type LookupOptions, type LookupParts, openLookup } from "./open-lookup.ts";
export { createNamespaceFetcher } from "./providers/kubernetes/provider.ts";
export { createStoreFetcher } from "./providers/store/provider.ts";
