/**
 * What a command beside the store needs: configuration, the embedded store and lookups. An entry of its own, because loading
 * the service with its RPC stack takes longer than such a command's whole work.
 */
export { type ConfigSources, loadConfig } from "./config/load-config.ts";
export type { Config } from "./config/schema.ts";
export { type EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from "./store/embedded-store.ts";
export { createLookup } from "./values/lookup.ts";
export { createStoreFetcher } from "./values/store-fetcher.ts";
