/**
 * What a command beside the store needs: configuration, the embedded store and lookups. An entry of its own, because loading
 * the service with its RPC stack takes longer than such a command's whole work.
 */
export { type ConfigSources, loadConfig } from "./config/load-config.ts";
export type { Config } from "./config/schema.ts";
export { findRunningServer, type RunningServer } from "./embedded/server-file.ts";
export { type BackupStoreOptions, backupStore } from "./store/backup-store.ts";
export { type EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from "./store/embedded-store.ts";
export { type RestoreStoreOptions, restoreStore } from "./store/restore-store.ts";
export { type RotateMasterKeyOptions, rotateMasterKey } from "./store/rotate-master-key.ts";
export { createLookup } from "./values/lookup.ts";
export { createStoreFetcher } from "./values/store-fetcher.ts";
