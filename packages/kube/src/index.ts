export { type AccessQuestion, isAllowed, whoAmI } from "./access-reviews.ts";
export { createKubeClient, type KubeCallOptions, type KubeClient } from "./client.ts";
export type { KubeClientOptions, ObservedRequest } from "./client-options.ts";
export { type ClusterEnvironment, connectCluster, connectKube, isInCluster } from "./connect-cluster.ts";
export { findKubeConnection, type KubeConnection, type KubeconfigEnvironment } from "./connection.ts";
export { kubeCause, kubeStatus } from "./error.ts";
export { type EventHandler, type Informer, type InformerOptions, runInformer } from "./informer.ts";
export { openInvalidationToken } from "./invalidation-token.ts";
export { createKubeMetrics } from "./metrics.ts";
export { certificateRights, type NeededRights, sharedKeyRights } from "./needed-rights.ts";
export {
  defineResource,
  type KubeObject,
  type KubeOwner,
  type KubeResource,
  NAMESPACES,
  SECRETS,
  type Secret,
} from "./object.ts";
export { retryConflict } from "./retry-conflict.ts";
export { openSharedKey } from "./shared-key.ts";
