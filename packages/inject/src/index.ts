export type { Delivery, SecretToDeliver, WriteOptions } from "./delivery/delivery.ts";
export { decodeFiles } from "./delivery/file-script.ts";
export { createInlineDelivery, type InlineDeliveryOptions } from "./delivery/inline.ts";
export { createSecretRefDelivery, type SecretRefDeliveryOptions, type SecretWriter } from "./delivery/secret-ref.ts";
export { createAwsInjector } from "./managers/aws.ts";
export { createAzureInjector } from "./managers/azure.ts";
export { createEmbeddedInjector } from "./managers/embedded.ts";
export { createGcpInjector } from "./managers/gcp.ts";
export { createGlobalInjector, type GlobalInjectorOptions } from "./managers/global.ts";
export { createGroupInjector } from "./managers/group.ts";
export {
  type Claim,
  type InjectContext,
  type Injection,
  type Injector,
  type InjectorEdit,
  type Reference,
  SECRETS_DIRECTORY,
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
  type Mutator,
  type MutatorOptions,
  type PodChange,
} from "./mutator.ts";
export { applyEdits } from "./pod/apply-edits.ts";
export type { PodEdit } from "./pod/edit.ts";
export { applyPatch, JsonPatch, type JsonPatchOperation } from "./pod/json-patch.ts";
export { CONTAINERS_ANNOTATION } from "./pod/named-containers.ts";
export { parsePod } from "./pod/parse-pod.ts";
export type { Container, EnvVar, OwnerReference, Pod, SecretKeyReference, Volume, VolumeMount } from "./pod/pod.ts";
