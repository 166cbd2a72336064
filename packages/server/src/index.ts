export { listSettings, type Setting } from "./config/list-settings.ts";
export { type ConfigSources, loadConfig } from "./config/load-config.ts";
export type { Config, Settings } from "./config/schema.ts";
export { type BackupStoreOptions, backupStore } from "./store/backup-store.ts";
export { type EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from "./store/embedded-store.ts";
export { type RestoreStoreOptions, restoreStore } from "./store/restore-store.ts";
export { type RotateMasterKeyOptions, rotateMasterKey } from "./store/rotate-master-key.ts";
export { createLookup } from "./values/lookup.ts";
export { createStoreFetcher } from "./values/store-fetcher.ts";
