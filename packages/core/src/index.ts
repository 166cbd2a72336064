export { GOOD_TOKEN, isGoodToken } from "./access-token.ts";
export { decodeAzureName, encodeAzureName } from "./azure-names.ts";
export { decodeAzureValue, encodeAzureValue } from "./azure-value.ts";
export { encodeBase32Lower } from "./base32.ts";
export { ByteBudget } from "./byte-budget.ts";
export {
  checkExistingId,
  checkExistingScope,
  checkSecretId,
  checkSecretScope,
  isExistingName,
} from "./check-secret-id.ts";
export { type Clock, sleep, systemClock } from "./clock.ts";
export { type ConnectionFault, connectionFault } from "./connection-fault.ts";
export { withoutCredentials } from "./credential-variables.ts";
export { decodeText, NOT_TEXT } from "./decode-text.ts";
export { encodeRequestText } from "./encode-request-text.ts";
export { ERROR_KINDS, type ErrorCode, type ErrorKind, isSecretsError, SecretsError } from "./errors.ts";
export { type FileOwnership, otherWriter } from "./file-ownership.ts";
export { escapeControls, excerpt, quote } from "./foreign-text.ts";
export { parseGoDuration } from "./go-duration.ts";
export { homeDirectory } from "./home-directory.ts";
export { cleanLabelValue, imagePullLabels, imagePullSecretName, isImagePullSecretName } from "./image-pull-names.ts";
export { jsonMembers } from "./json-members.ts";
export {
  deliveredSecretName,
  isDeliveredSecretName,
  kubernetesSecretName,
  MAX_DATA_KEY_LENGTH,
  type ManagedForm,
  managedForm,
  managedLabels,
  SERVICE_ACCOUNT_DIRECTORY,
  TYPE_LABEL,
} from "./kubernetes-names.ts";
export {
  type FetchedValue,
  type FindOptions,
  type GroupLookup,
  type GroupResult,
  type LookupAttempt,
  type LookupResult,
  type ScopeLookup,
  type SecretFetcher,
  type SecretLookup,
  withoutGroups,
} from "./lookup.ts";
export { type LookupId, lookupIds } from "./lookup-ids.ts";
export { andThen, type MaybePromise } from "./maybe-promise.ts";
export { nearestName } from "./nearest-name.ts";
export { parseRequestText } from "./parse-request-text.ts";
export {
  type Container,
  type EnvVar,
  type OwnerReference,
  type Pod,
  type PodMetadata,
  type PodSpec,
  parsePod,
  type SecretKeyReference,
  type Volume,
  type VolumeItem,
  type VolumeMount,
} from "./pod.ts";
export { checkLimit, DEFAULT_POD_LIMITS, type PodLimits } from "./pod-limits.ts";
export {
  decodeRequestAnnotation,
  encodeRequestAnnotation,
  fromRequestAnnotations,
  INJECT_LABEL,
  REQUEST_ANNOTATION_PREFIX,
  toRequestAnnotations,
} from "./request-annotations.ts";
export {
  DEFAULT_ORGANIZATION,
  decodeSecretId,
  encodeSecretId,
  encodeShortSecretId,
  isInScope,
  type ScopeLevel,
  type SecretId,
  type SecretScope,
  scopeLevel,
  scopePrefix,
} from "./secret-id.ts";
export { MountRequirement, type SecretRequest } from "./secret-request.ts";
export { SecretValue } from "./secret-value.ts";
export { type ErrorText, stackLines } from "./stack-lines.ts";
export { isSteeringVariable } from "./steering-variables.ts";
export {
  type CallOptions,
  type ClusterPresence,
  FORCE_HEADER,
  type ListPage,
  type ListRequest,
  type SecretInput,
  type SecretRecord,
  type SecretStore,
  type SecretType,
  type StoreChange,
} from "./store.ts";
export { hasSystemCode, systemReason } from "./system-reason.ts";
export { trimEndOf } from "./trim-end-of.ts";
export { withinStack } from "./within-stack.ts";
