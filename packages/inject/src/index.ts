export { createAwsInjector } from "./aws-injector.ts";
export { createAzureInjector } from "./azure-injector.ts";
export { decodeFiles } from "./embedded-files.ts";
export { createEmbeddedInjector, type EmbeddedInjectorOptions } from "./embedded-injector.ts";
export { createGcpInjector } from "./gcp-injector.ts";
export { createGlobalInjector, type GlobalInjectorOptions } from "./global-injector.ts";
export { createGroupInjector, type GroupInjectorOptions } from "./group-injector.ts";
export type { ImagePullSecrets } from "./image-pull-secrets.ts";
export { createInlineDelivery, type FileMountInitContainer } from "./inline-delivery.ts";
export { createK8sInjector, type K8sInjectorOptions } from "./k8s-injector.ts";
export { detectMissedInjection, type MissedInjection } from "./missed-injection.ts";
export type { InjectionRecord } from "./mutation-plan.ts";
export {
  createMutator,
  type MutateOptions,
  type Mutation,
  type Mutator,
  type MutatorOptions,
  type PodChange,
} from "./mutator.ts";
export {
  applyEdits,
  createPodEditor,
  type EditedPod,
  type PodEditor,
  REMEMBERED_CONTAINERS,
} from "./pod/apply-edits.ts";
export { cleanJoinPath } from "./pod/clean-join-path.ts";
export type { Delivered, Delivery, KubernetesSecret, WriteOptions } from "./pod/delivery.ts";
export {
  type Claim,
  type InjectContext,
  type Injection,
  type Injector,
  type InjectorEdit,
  type Reference,
  SECRETS_DIRECTORY,
  type SecretFile,
  type SecretSource,
  type SecretVariable,
  setVariable,
  type ValueSource,
  type VariableNaming,
} from "./pod/injector.ts";
export { applyPatch, JsonPatch, type JsonPatchOperation } from "./pod/json-patch.ts";
export { CONTAINERS_ANNOTATION, namedContainers } from "./pod/named-containers.ts";
export type { InitContainerSettings, OwnContainer, PodEdit } from "./pod/pod-edit.ts";
export { createSecretRefDelivery, type SecretRefDeliveryOptions, type SecretWriter } from "./secret-ref-delivery.ts";
export type { SidecarConfig } from "./sidecar.ts";
export { createVaultInjector, type VaultInjectorOptions } from "./vault-injector.ts";
