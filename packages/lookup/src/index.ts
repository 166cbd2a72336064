export type { CachedLookup } from "./cache/cached-lookup.ts";
export { type LookupMetrics, NO_METRICS, type WatchHealth } from "./cache/lookup-metrics.ts";
export { createLookup } from "./direct-lookup.ts";
export { type LookupOptions, type LookupParts, openLookup } from "./open.ts";
export { createNamespaceFetcher } from "./providers/kubernetes/provider.ts";
export { createStoreFetcher } from "./providers/store/provider.ts";
