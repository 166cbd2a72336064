export { ERROR_KINDS, type ErrorCode, type ErrorKind, isSecretsError, SecretsError } from "./errors.ts";
export type { LookupAttempt, LookupResult, SecretFetcher, SecretLookup } from "./lookup.ts";
export type { ScopeLevel, SecretId, SecretScope } from "./secret-id.ts";
export { MountRequirement, type SecretRequest } from "./secret-request.ts";
export { SecretValue } from "./secret-value.ts";
export type {
  CallOptions,
  ClusterPresence,
  ListPage,
  ListRequest,
  SecretInput,
  SecretRecord,
  SecretStore,
  SecretType,
  StoreChange,
} from "./store.ts";
