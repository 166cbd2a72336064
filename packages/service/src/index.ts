export { createInProcessService, type InProcessServiceOptions } from "./in-process.ts";
export { type MountedSecretService, type SecretServiceOptions, secretService } from "./secret-service.ts";
export type { OidcAuth, ServiceAuth, ServiceConfig } from "./service-config.ts";
export { serviceRights, storeRights } from "./service-rights.ts";
export { type RunningSystem, type StartServerOptions, startServer } from "./start-service.ts";
