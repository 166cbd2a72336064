export { createEmbeddedInjector, type EmbeddedInjectorOptions } from "./embedded-injector.ts";
export { createGlobalInjector, type GlobalInjectorOptions } from "./global-injector.ts";
export { createInlineDelivery, type FileMountInitContainer } from "./inline-delivery.ts";
export {
  createMutator,
  type InjectionRecord,
  type MutateOptions,
  type Mutation,
  type Mutator,
  type MutatorOptions,
} from "./mutator.ts";
export { createSecretRefDelivery, type SecretRefDeliveryOptions, type SecretWriter } from "./secret-ref-delivery.ts";
