export type { ClusterStore } from "./clusters/ask-clusters.ts";
export { createMultiClusterStore } from "./clusters/multi-cluster-store.ts";
export {
  flyteConfigFile,
  SERVICE_FILES,
  serviceCaFile,
  serviceCertificateDirectory,
} from "./data-directory/data-files.ts";
export { lockDirectory } from "./data-directory/lock-directory.ts";
export { openLog, serverLogFile } from "./data-directory/log-file.ts";
export { rotatingLog } from "./data-directory/rotating-log.ts";
export {
  askServerToStop,
  assertNoServer,
  findRunningServer,
  isDirectoryLocked,
  type RunningServer,
} from "./data-directory/running-server.ts";
export { announceServer, takeBackAnnouncement } from "./data-directory/server-file.ts";
export { followTokenFile, rotateTokenFile } from "./data-directory/token-file.ts";
export { describeBackups, type KnownBackup } from "./embedded/backup-list.ts";
export { type BackupStoreOptions, backupStore } from "./embedded/backup-store.ts";
export { type EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from "./embedded/embedded-store.ts";
export {
  type DiscardKeyOptions,
  discardKey,
  type KnownKey,
  type KnownKeysOptions,
  listKeys,
} from "./embedded/kept-keys.ts";
export {
  describeRestore,
  type RestoreReport,
  type RestoreStoreOptions,
  restoreStore,
} from "./embedded/restore-store.ts";
export {
  type FormerKey,
  type RotateDataKeyOptions,
  type RotateMasterKeyOptions,
  rotateDataKey,
  rotateMasterKey,
} from "./embedded/rotate-keys.ts";
export { prepareStoreDirectory } from "./embedded/store-directory.ts";
export { makeDirectory } from "./files/make-directory.ts";
export { readPrivateFile, writePrivateFile } from "./files/private-file.ts";
export { type CopiedSecret, type CopySecretsOptions, copyManagedSecrets } from "./kubernetes/copy-managed-secrets.ts";
export { createFormerPlaceCheck } from "./kubernetes/former-place.ts";
export {
  type KubernetesStore,
  type KubernetesStoreOptions,
  openKubernetesStore,
} from "./kubernetes/kubernetes-store.ts";
export { managedId, managedValue } from "./kubernetes/managed-secret.ts";
export { findMisfit, type Misfit, namesByDataKey } from "./kubernetes/misnamed-secret.ts";
export { openStore, type StoreOptions, type StoreParts } from "./open-store.ts";
export { toStoreError } from "./store-error.ts";
