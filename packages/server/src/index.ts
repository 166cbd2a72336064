export { type Clock, systemClock } from "./clock.ts";
export { parseGoDuration } from "./config/go-duration.ts";
export { listEntries, listSettings, type Section, type Setting } from "./config/list-settings.ts";
export { type ConfigSources, type ConfigText, loadConfig } from "./config/load-config.ts";
export type { Config, Settings } from "./config/schema.ts";
export { type AccessQuestion, isAllowed, whoAmI } from "./kube/access-reviews.ts";
export { type ClusterSurroundings, connectCluster, connectKube, isInCluster } from "./kube/connect-cluster.ts";
export { type FollowOptions, followObjects, type ObjectFollower, type ObjectSink } from "./kube/follow-objects.ts";
export {
  createKubeClient,
  type KubeCallOptions,
  type KubeClient,
} from "./kube/kube-client.ts";
export type { KubeClientOptions, ObservedRequest } from "./kube/kube-client-options.ts";
export { findKubeConnection, type KubeConnection, type KubeSurroundings } from "./kube/kube-connection.ts";
export { kubeCause, kubeStatus } from "./kube/kube-error.ts";
export {
  defineResource,
  type KubeObject,
  type KubeResource,
  NAMESPACES,
  SECRETS,
  type Secret,
} from "./kube/kube-object.ts";
export type { NeededRights } from "./kube/needed-rights.ts";
export { podNamespace } from "./kube/pod-namespace.ts";
export { type Listener, type ListenOptions, listen } from "./rpc/listen.ts";
export type { ListenerLimits } from "./rpc/listener-limits.ts";
export type { NodeHandler } from "./rpc/node-handler.ts";
export { type RunWebhookOptions, runWebhook } from "./run-webhook.ts";
export { type RunningSystem, type StartServerOptions, startServer } from "./server.ts";
export {
  type MountedSecretService,
  type SecretServiceOptions,
  secretService,
} from "./service/secret-service.ts";
export type { OidcAuth, ServiceAuth, ServiceConfig } from "./service/service-config.ts";
export { serviceRights, storeRights } from "./service/service-rights.ts";
export { type RunningWebhook, type StartWebhookOptions, startWebhook } from "./start-webhook.ts";
export { describeBackups, type KnownBackup } from "./store/backup-list.ts";
export { type BackupStoreOptions, backupStore } from "./store/backup-store.ts";
export type { ClusterStore } from "./store/clusters/ask-clusters.ts";
export { createMultiClusterStore } from "./store/clusters/multi-cluster-store.ts";
export { type EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from "./store/embedded-store.ts";
export {
  type DiscardKeyOptions,
  discardKey,
  type KnownKey,
  type KnownKeysOptions,
  listKeys,
} from "./store/kept-keys.ts";
export {
  type CopiedSecret,
  type CopySecretsOptions,
  copyManagedSecrets,
} from "./store/kubernetes/copy-managed-secrets.ts";
export {
  type KubernetesStore,
  type KubernetesStoreOptions,
  openKubernetesStore,
} from "./store/kubernetes/kubernetes-store.ts";
export { findMisfit, type Misfit } from "./store/kubernetes/misnamed-secret.ts";
export { describeRestore, type RestoreReport, type RestoreStoreOptions, restoreStore } from "./store/restore-store.ts";
export {
  type FormerKey,
  type RotateDataKeyOptions,
  type RotateMasterKeyOptions,
  rotateDataKey,
  rotateMasterKey,
} from "./store/rotate-keys.ts";
export { createLogger, type LogDestination } from "./telemetry/create-logger.ts";
export {
  type OpenTracingOptions,
  openTracing,
  type SpanAttributes,
  type TracedWork,
  type Tracing,
} from "./telemetry/tracing.ts";
export type { CachedLookup } from "./values/cached-lookup.ts";
export { type FetcherSources, openFetcher } from "./values/fetchers/open-fetcher.ts";
export { createLookup } from "./values/lookup.ts";
export { type LookupMetrics, NO_METRICS } from "./values/lookup-metrics.ts";
export { type LookupSources, openLookup } from "./values/open-lookup.ts";
export { createStoreFetcher } from "./values/store-fetcher.ts";
export type { CertificateSource, ServingCertificate } from "./webhook/certificate-source.ts";
export { fingerprintOf } from "./webhook/certificates/certificate-chain.ts";
export { createFileKeeper } from "./webhook/certificates/file-keeper.ts";
export { makeCertificate } from "./webhook/certificates/make-certificate.ts";
export { certificateNames, openCertificateSource } from "./webhook/certificates/open-certificate-source.ts";
export { createSecretKeeper } from "./webhook/certificates/secret-keeper.ts";
export { openSelfMadeSource, type SelfMadeSource } from "./webhook/certificates/self-made-source.ts";
export { type AdmissionParts, createAdmission, createClaimGuard } from "./webhook/create-admission.ts";
export { createManagers, type ManagersOptions } from "./webhook/create-managers.ts";
export { globalSecrets } from "./webhook/global-secrets.ts";
export {
  type FoundCertificate,
  findCertificate,
  type ManageOptions,
  type RemovedWebhook,
  removeWebhook,
  renewCertificate,
} from "./webhook/manage-certificates.ts";
export { type MutatePodOptions, mutatePod } from "./webhook/mutate-pod.ts";
export type { NamespaceLabels } from "./webhook/namespace-labels.ts";
export { certificateDirectory } from "./webhook/open-certificates.ts";
export { claimOf, type PodClaimOptions } from "./webhook/pod-claim.ts";
export { keepRegistration, type Registration, removeRegistration } from "./webhook/registration/registration.ts";
export {
  findRegisteredWebhook,
  type RegisteredWebhook,
  type RegistrationSettings,
  WEBHOOK_CONFIGURATIONS,
  type WebhookAddress,
} from "./webhook/registration/webhook-configuration.ts";
export { createScopeGuard, type PodCreation, type ScopeGuard } from "./webhook/scope-guard.ts";
export { type SecretSweeperOptions, sweepSecrets } from "./webhook/secret-writer/secret-sweeper.ts";
export { type WriterGrant, writerGrantCommand } from "./webhook/secret-writer/writer-grant.ts";
export {
  followWrittenSecrets,
  type WrittenSecrets,
  type WrittenSecretsOptions,
} from "./webhook/secret-writer/written-secrets.ts";
export { sharedNamespace } from "./webhook/values-namespace.ts";
export { SERVED_CERTIFICATE } from "./webhook/webhook.ts";
export { type WebhookRightsOptions, webhookRights } from "./webhook/webhook-rights.ts";
export { serveAsWorker } from "./workers/serve-as-worker.ts";
export { type StartWorkersOptions, startWorkers } from "./workers/start-workers.ts";
