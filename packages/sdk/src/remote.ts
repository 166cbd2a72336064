export { isSecretsError, SecretsError, SecretValue } from "@flyte-secrets/core";
export type { ClientEnvironment } from "./environment.ts";
export {
  type ClientCredentials,
  type Connection,
  type ConnectionOptions,
  resolveConnection,
  resolveScope,
  type Token,
} from "./remote/connection.ts";
export { close, init } from "./remote/current-client.ts";
export {
  type ClusterStatus,
  Secret,
  type SecretCallOptions,
  type SecretChangeOptions,
  type SecretStatus,
} from "./remote/secret.ts";
export type { SecretInput, SecretType } from "./remote/secret-input.ts";
export {
  type CallOptions,
  createSecretsClient,
  type SecretServiceClient,
  type SecretsClient,
  wrapSecretService,
} from "./remote/secrets-client.ts";
