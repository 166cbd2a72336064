export { type MutatePodOptions, mutatePod } from "./admission/admit.ts";
export {
  type AdmissionOptions,
  type AdmissionParts,
  createAdmission,
  createClaimGuard,
} from "./admission/create-admission.ts";
export { createManagers, type ManagersOptions } from "./admission/create-managers.ts";
export { globalSecrets } from "./admission/global-secrets.ts";
export { SERVED_CERTIFICATE } from "./admission/handler.ts";
export type { NamespaceLabels } from "./binding/namespace-labels.ts";
export { claimOf, type PodClaimOptions } from "./binding/pod-claim.ts";
export { createScopeGuard, type PodCreation, type ScopeGuard } from "./binding/scope-guard.ts";
export {
  type FoundCertificate,
  findCertificate,
  type ManageOptions,
  type RemovedWebhook,
  removeWebhook,
  renewCertificate,
} from "./certificates/manage-certificates.ts";
export type { CertificateOptions } from "./certificates/open-certificates.ts";
export {
  type DeliveredSecrets,
  type DeliveredSecretsOptions,
  watchDeliveredSecrets,
} from "./delivery/delivered-secrets.ts";
export { type SecretSweeperOptions, sweepSecrets } from "./delivery/secret-sweeper.ts";
export { type WriterGrant, writerGrantCommand } from "./delivery/writer-grant.ts";
export { type Registration, reconcileRegistration, removeRegistration } from "./registration/registration.ts";
export {
  findRegisteredWebhook,
  type RegisteredWebhook,
  type RegistrationSettings,
  WEBHOOK_CONFIGURATIONS,
  type WebhookAddress,
} from "./registration/webhook-configuration.ts";
export { type RunningWebhook, startWebhook, type WebhookParts } from "./start-webhook.ts";
export { sharedNamespace, type WebhookOptions } from "./webhook-options.ts";
export { type WebhookRightsOptions, webhookRights } from "./webhook-rights.ts";
export { serveAsWorker } from "./workers/serve-as-worker.ts";
export { type StartWorkersOptions, startWorkers } from "./workers/start-workers.ts";
