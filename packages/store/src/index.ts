export { createMultiClusterStore } from "./clusters/multi-cluster-store.ts";
export {
  flyteConfigFile,
  SERVICE_FILES,
  serviceCaFile,
  serviceCertificateDirectory,
} from "./data-directory/data-files.ts";
export { openLog, rotatingLog, serverLogFile } from "./data-directory/log-file.ts";
export {
  assertNoServer,
  findRunningServer,
  isDirectoryLocked,
  lockDirectory,
  type RunningServer,
  stopServerProcess,
} from "./data-directory/running-server.ts";
export { announceServer, withdrawAnnouncement } from "./data-directory/server-file.ts";
export { followTokenFile, rotateTokenFile } from "./data-directory/token-file.ts";
export { backupStore } from "./embedded/backup.ts";
export { describeBackups } from "./embedded/backup-list.ts";
export { prepareStoreDirectory } from "./embedded/directory.ts";
export { type EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from "./embedded/embedded-store.ts";
export {
  discardKey,
  type KnownKey,
  type KnownKeysOptions,
  listKeys,
  rotateDataKey,
  rotateMasterKey,
} from "./embedded/manage-keys.ts";
export {
  describeRestore,
  restoreStore,
} from "./embedded/restore.ts";
export { makeDirectory, readPrivateFile, writePrivateFile } from "./files/private-files.ts";
export {
  type CopiedSecret,
  type CopyManagedSecretsOptions,
  copyManagedSecrets,
} from "./kubernetes/copy-managed-secrets.ts";
export {
  type KubernetesStore,
  type KubernetesStoreOptions,
  openKubernetesStore,
} from "./kubernetes/kubernetes-store.ts";
export { managedId, managedValue } from "./kubernetes/managed-secret.ts";
export { namesByDataKey, validateManagedSecret } from "./kubernetes/misnamed-secret.ts";
export { createFormerNamespaceCheck } from "./kubernetes/namespaces.ts";
export { openStore, type StoreOptions, type StoreParts } from "./open.ts";
