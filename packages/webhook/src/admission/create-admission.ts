import { type PodLimits, SecretsError } from "@flyte-secrets/core";
import {
  createInlineDelivery,
  createMutator,
  createSecretRefDelivery,
  type ImagePullSecrets,
  type InlineDeliveryOptions,
  type MutatorOptions,
  type SecretWriter,
} from "@flyte-secrets/inject";
import type { NamespaceLabels } from "../binding/namespace-labels.ts";
import type { ScopeBinding } from "../binding/scope-binding.ts";
import { createScopeGuard, type ScopeGuard } from "../binding/scope-guard.ts";
import type { MutatePodOptions } from "./admit.ts";
import { createManagers, type ManagersOptions, type ManagersParts } from "./create-managers.ts";
import type { GlobalOptions } from "./global-secrets.ts";
import type { SecretGuardOptions } from "./secret-guard.ts";

/** Which pods get which secrets, and how. */
export interface AdmissionOptions extends Pick<MutatorOptions, "secretEnvVarPrefix" | "envVarNaming"> {
  readonly managers: ManagersOptions;
  readonly guard: SecretGuardOptions;
  readonly global: GlobalOptions;
  readonly scopeBinding: ScopeBinding;
  /** The organization that all secrets belong to. */
  readonly organization: string;
  /** Whether values are in Secrets that the pod refers to, or in the pod itself. */
  readonly delivery: "SecretRef" | "Inline";
  readonly inline: InlineDeliveryOptions;
  readonly limits: PodLimits;
  /** The maximum size of a review. */
  readonly maxBodyBytes: number;
  /** How long the API server waits if its request has no timeout. */
  readonly timeoutMs: number;
}

export interface AdmissionParts extends ManagersParts {
  /** Writes the Secrets of delivery SecretRef, which requires it. */
  readonly writer?: SecretWriter;
  /** See `SecretRefDeliveryOptions`. */
  readonly namingKey?: Uint8Array;
  /** The image-pull Secrets of secrets. Default: none. */
  readonly imagePull?: ImagePullSecrets;
  /** The labels for `webhook.scopeBinding.namespaceLabels`. Default: no namespace has any. */
  readonly namespaceLabels?: NamespaceLabels;
}

/**
 * Creates the parts that decide about pods: secret managers, delivery and scope guard. The webhook uses them, and so do
 * the commands that predict its decisions.
 * @throws SecretsError `invalid_config` for delivery SecretRef without a writer, and like {@link createScopeGuard}.
 */
export function createAdmission(options: AdmissionOptions, parts: AdmissionParts): MutatePodOptions {
  const { imagePull, namespaceLabels } = parts;
  return {
    mutator: createMutator({
      managers: createManagers(options, parts),
      secretEnvVarPrefix: options.secretEnvVarPrefix,
      envVarNaming: options.envVarNaming,
      delivery: createDelivery(options, parts),
      limits: options.limits,
      ...(imagePull && { imagePull }),
    }),
    scopeGuard: createClaimGuard(options, namespaceLabels),
    warnOnly: options.scopeBinding.mode === "warn",
  };
}

/**
 * Creates the scope guard of these options. The labels of namespaces are used if `scopeBinding.namespaceLabels` is set.
 */
export function createClaimGuard(
  { scopeBinding: binding, organization }: Pick<AdmissionOptions, "scopeBinding" | "organization">,
  namespaceLabels?: NamespaceLabels,
): ScopeGuard | undefined {
  const labels = binding.namespaceLabels && namespaceLabels;
  return createScopeGuard({ binding, organization, ...(labels && { namespaceLabels: labels }) });
}

function createDelivery(
  { delivery, inline }: AdmissionOptions,
  { writer, namingKey }: Pick<AdmissionParts, "writer" | "namingKey">,
) {
  if (delivery === "Inline") return createInlineDelivery(inline);
  if (writer) return createSecretRefDelivery({ writer, ...(namingKey && { namingKey }) });
  throw new SecretsError(
    "invalid_config",
    "webhook.embeddedSecretManagerConfig.delivery SecretRef writes Secrets, and there is no Kubernetes API to " +
      "write to here: set it to Inline",
  );
}
