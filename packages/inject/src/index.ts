export type { Delivered, Delivery, KubernetesSecret, WriteOptions } from "./delivery/delivery.ts";
export { decodeFiles } from "./delivery/file-script.ts";
export { createInlineDelivery, type FileMountInitContainer, type InlineDeliveryOptions } from "./delivery/inline.ts";
export { createSecretRefDelivery, type SecretRefDeliveryOptions, type SecretWriter } from "./delivery/secret-ref.ts";
export { createAwsInjector } from "./managers/aws.ts";
export { createAzureInjector } from "./managers/azure.ts";
export { createEmbeddedInjector, type EmbeddedInjectorOptions } from "./managers/embedded.ts";
export { createGcpInjector } from "./managers/gcp.ts";
export { createGlobalInjector, type GlobalInjectorOptions } from "./managers/global.ts";
export { createGroupInjector, type GroupInjectorOptions } from "./managers/group.ts";
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
} from "./managers/injector.ts";
export { createK8sInjector, type K8sInjectorOptions } from "./managers/k8s.ts";
export type { SidecarConfig } from "./managers/sidecar.ts";
export { createVaultInjector, type VaultInjectorOptions } from "./managers/vault.ts";
export { detectMissedInjection, type MissedInjection } from "./missed-injection.ts";
export type { InjectionRecord } from "./mutation-plan.ts";
export type { ImagePullSecrets } from "./mutator.ts";
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
export type { InitContainerSettings, OwnContainer, PodEdit } from "./pod/edit.ts";
export { applyPatch, JsonPatch, type JsonPatchOperation } from "./pod/json-patch.ts";
export { CONTAINERS_ANNOTATION, namedContainers } from "./pod/named-containers.ts";
export { parsePod } from "./pod/parse-pod.ts";
export type { Container, EnvVar, OwnerReference, Pod, SecretKeyReference, Volume, VolumeMount } from "./pod/pod.ts";
