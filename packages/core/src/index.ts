export { BASE32_STANDARD, encodeBase32Lower } from "./base32.ts";
export { ByteBudget } from "./byte-budget.ts";
export { type Clock, sleep, systemClock } from "./clock.ts";
export { closeOnce } from "./close-once.ts";
export { type ConnectionFault, connectionFault } from "./connection-fault.ts";
export { isStrongToken, STRONG_TOKEN_RULE, withoutCredentials } from "./credentials.ts";
export { ERROR_KINDS, type ErrorCode, type ErrorKind, isSecretsError, SecretsError } from "./errors.ts";
export { decodeText, escapeControls, excerpt, NOT_TEXT, quote, trimEndOf } from "./foreign-text.ts";
export { parseGoDuration } from "./go-duration.ts";
export { jsonMembers } from "./json-members.ts";
export { isObject, type JsonObject, parseObject } from "./json-object.ts";
export {
  DOMAIN_LABEL,
  deliveredSecretName,
  imagePullLabels,
  imagePullSecretName,
  isDeliveredSecretName,
  isImagePullSecretName,
  kubernetesSecretName,
  MANAGED_LABEL,
  MAX_DATA_KEY_LENGTH,
  type ManagedForm,
  managedForm,
  managedLabels,
  PROJECT_LABEL,
  SERVICE_ACCOUNT_DIRECTORY,
  TYPE_LABEL,
} from "./kubernetes-names.ts";
export {
  type FetchedValue,
  type GroupLookup,
  type GroupResult,
  type LookupAttempt,
  type LookupId,
  type LookupResult,
  lookupIds,
  type ScopeLookup,
  type SecretFetcher,
  type SecretLookup,
  withoutGroups,
} from "./lookup.ts";
export { andThen, type MaybePromise } from "./maybe-promise.ts";
export { nearestName } from "./nearest-name.ts";
export { hasSystemCode, homeDirectory, otherWriter, systemReason } from "./operating-system.ts";
export { importOptional, type OptionalDependency } from "./optional-dependency.ts";
export { checkLimit, DEFAULT_POD_LIMITS, type PodLimits } from "./pod-limits.ts";
export { createSignalRace, type RaceSignal, raceSignal, toAbortError } from "./race-signal.ts";
export {
  decodeRequestAnnotation,
  encodeRequestAnnotation,
  fromRequestAnnotations,
  INJECT_LABEL,
  REQUEST_ANNOTATION_PREFIX,
  toRequestAnnotations,
} from "./request-annotations.ts";
export {
  checkExistingId,
  checkExistingScope,
  checkSecretId,
  checkSecretScope,
  DEFAULT_ORGANIZATION,
  decodeSecretId,
  encodeSecretId,
  encodeShortSecretId,
  isExistingName,
  isInScope,
  type ScopeLevel,
  type SecretId,
  type SecretScope,
} from "./secret-id.ts";
export { MountRequirement, type SecretRequest } from "./secret-request.ts";
export { SecretValue } from "./secret-value.ts";
export { isSecureUrl } from "./secure-url.ts";
export { sharedVariable } from "./shared-variable.ts";
export { type ErrorText, stackLines } from "./stack-lines.ts";
export { isSteeringVariable } from "./steering-variables.ts";
export {
  type ClusterPresence,
  CONSISTENCY_HEADER,
  FORCE_HEADER,
  type ListPage,
  type ListRequest,
  type SecretContent,
  type SecretRecord,
  type SecretStore,
  type StoreCallOptions,
  type StoreChange,
  type StoredSecretType,
} from "./store.ts";
export { encodeRequestText, parseRequestText } from "./text-format.ts";
export { withinStack } from "./within-stack.ts";
