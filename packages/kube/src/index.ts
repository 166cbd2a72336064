export { isAllowed, whoAmI } from "./access-reviews.ts";
export { createKubeClient, type KubeClient, nextLimit, type RequestOptions } from "./client.ts";
export { connectAnyCluster, connectCluster, usesCluster } from "./connect-cluster.ts";
export { loadClusterConnection } from "./connection.ts";
export { httpStatusOf, statusCauseOf } from "./error.ts";
export { type EventHandler, type Informer, type InformerOptions, runInformer } from "./informer.ts";
export { certificateRights, type NeededRights, sharedKeyRights } from "./needed-rights.ts";
export {
  defineResource,
  type KubeObject,
  type KubeResource,
  type KubeSecret,
  NAMESPACES,
  type ObjectMeta,
  type OwnerReference,
  SECRETS,
} from "./objects.ts";
export type { KubeClientOptions, ObservedRequest } from "./requests.ts";
export { retryConflict } from "./retry-conflict.ts";
export { openSharedKey } from "./shared-key.ts";
export { openSharedToken } from "./shared-token.ts";
export { syncCopy } from "./sync-copy.ts";
