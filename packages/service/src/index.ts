export type { ServiceCertificate } from "./certificate-listener.ts";
export { createInProcessService, type InProcessServiceOptions } from "./in-process.ts";
export { type MountedSecretService, type SecretServiceOptions, secretService } from "./secret-service.ts";
export type { ServiceAuth, ServiceConfig, ServiceOptions } from "./service-options.ts";
export { assertAuthenticated, type RunningService, type ServiceParts, startService } from "./start-service.ts";
