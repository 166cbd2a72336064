/**
 * What a command beside the store needs: configuration, the embedded store, lookups, and what the webhook makes of pods. An
 * entry of its own, because loading the service with its RPC stack takes longer than such a command's whole work.
 */
export { type ConfigSources, type ConfigText, loadConfig } from "./config/load-config.ts";
export type { Config } from "./config/schema.ts";
export { openLog, serverLogFile } from "./embedded/log-file.ts";
export { rotatingLog } from "./embedded/rotating-log.ts";
export {
  askServerToStop,
  assertNoServer,
  findRunningServer,
  isDirectoryLocked,
  type RunningServer,
} from "./embedded/running-server.ts";
export { rotateTokenFile } from "./embedded/token-file.ts";
export { podNamespace } from "./kube/pod-namespace.ts";
export { flyteConfigFile, serviceCaFile } from "./service/service-certificate-files.ts";
export { describeBackups, type KnownBackup } from "./store/backup-list.ts";
export { type BackupStoreOptions, backupStore } from "./store/backup-store.ts";
export { type EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from "./store/embedded-store.ts";
export {
  type DiscardKeyOptions,
  discardKey,
  type KnownKey,
  type KnownKeysOptions,
  listKeys,
} from "./store/kept-keys.ts";
export { writePrivateFile } from "./store/private-file.ts";
export { describeRestore, type RestoreReport, type RestoreStoreOptions, restoreStore } from "./store/restore-store.ts";
export {
  type FormerKey,
  type RotateDataKeyOptions,
  type RotateMasterKeyOptions,
  rotateDataKey,
  rotateMasterKey,
} from "./store/rotate-keys.ts";
export { prepareStoreDirectory } from "./store/store-directory.ts";
export { createLookup } from "./values/lookup.ts";
export { createStoreFetcher } from "./values/store-fetcher.ts";
export { type AdmissionParts, createAdmission, createClaimGuard } from "./webhook/create-admission.ts";
export { createManagers, type ManagersOptions } from "./webhook/create-managers.ts";
export { globalSecrets } from "./webhook/global-secrets.ts";
export { type MutatePodOptions, mutatePod } from "./webhook/mutate-pod.ts";
export type { NamespaceLabels } from "./webhook/namespace-labels.ts";
export { claimOf, type PodClaimOptions } from "./webhook/pod-claim.ts";
