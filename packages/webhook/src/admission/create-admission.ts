import type { Config } from "@flyte-secrets/config";
import { type SecretLookup, SecretsError } from "@flyte-secrets/core";
import {
  createInlineDelivery,
  createMutator,
  createSecretRefDelivery,
  type GlobalInjectorOptions,
  type ImagePullSecrets,
  type SecretWriter,
} from "@flyte-secrets/inject";
import type { NamespaceLabels } from "../binding/namespace-labels.ts";
import { createScopeGuard, type ScopeGuard } from "../binding/scope-guard.ts";
import { createManagers } from "./create-managers.ts";
import type { MutatePodOptions } from "./mutate-pod.ts";
import { toResources } from "./to-resources.ts";

export interface AdmissionParts {
  /** Where Embedded and K8s find the secrets of a scope. */
  readonly lookup: SecretLookup;
  /** Where Global looks. */
  readonly global: GlobalInjectorOptions;
  /** Writes the Secrets of delivery SecretRef, which can't do without it. */
  readonly writer?: SecretWriter;
  /** See `SecretRefDeliveryOptions`. */
  readonly namingKey?: Uint8Array;
  /** Those that go with secrets; without it, none do. */
  readonly imagePull?: ImagePullSecrets;
  /** Where `webhook.scopeBinding.namespaceLabels` looks; without it no namespace has any such label. */
  readonly namespaceLabels?: NamespaceLabels;
  /** See `ManagersOptions`. */
  readonly ownNamespace?: string;
}

/**
 * What the configuration makes of pods: its secret managers and delivery, and who may claim a scope. The webhook and the
 * commands that tell what it would do have it from here.
 * @throws SecretsError `invalid_config` for delivery SecretRef without a writer, and as {@link createScopeGuard} does.
 */
export function createAdmission(
  config: Config,
  { lookup, global, imagePull, namespaceLabels, ownNamespace, ...writing }: AdmissionParts,
): MutatePodOptions {
  const { webhook } = config;
  return {
    mutator: createMutator({
      managers: createManagers(config, { lookup, global, ...(ownNamespace && { ownNamespace }) }),
      secretEnvVarPrefix: webhook.secretEnvVarPrefix,
      envVarNaming: webhook.secretEnvVarNaming,
      delivery: createDelivery(webhook, writing),
      limits: webhook.limits,
      ...(imagePull && { imagePull }),
    }),
    scopeGuard: createClaimGuard(config, namespaceLabels),
    warnOnly: webhook.scopeBinding.mode === "warn",
  };
}

/** The scope guard of a configuration. `namespaceLabels` count where `webhook.scopeBinding.namespaceLabels` says so. */
export function createClaimGuard(
  { webhook, secret }: Config,
  namespaceLabels?: NamespaceLabels,
): ScopeGuard | undefined {
  const { scopeBinding: binding } = webhook;
  const labels = binding.namespaceLabels && namespaceLabels;
  return createScopeGuard({ binding, organization: secret.organization, ...(labels && { namespaceLabels: labels }) });
}

function createDelivery(
  { embeddedSecretManagerConfig, initContainers }: Config["webhook"],
  { writer, namingKey }: Pick<AdmissionParts, "writer" | "namingKey">,
) {
  const { delivery, fileMountInitContainer, escapeInlineVariables: escapeVariables } = embeddedSecretManagerConfig;
  if (delivery === "Inline") {
    const resources = toResources(fileMountInitContainer.resources);
    const container = { ...fileMountInitContainer, resources, initContainers };
    return createInlineDelivery({ fileMountInitContainer: container, escapeVariables });
  }
  if (writer) return createSecretRefDelivery({ writer, ...(namingKey && { namingKey }) });
  throw new SecretsError(
    "invalid_config",
    "webhook.embeddedSecretManagerConfig.delivery SecretRef writes Secrets, and there is no Kubernetes API to write to here: set it to Inline",
  );
}
