import type { Config } from "@flyte-secrets/config";
import { type SecretLookup, SecretsError } from "@flyte-secrets/core";
import type { GlobalInjectorOptions } from "@flyte-secrets/inject";
import { createAdmission, type MutatePodOptions, type NamespaceLabels } from "@flyte-secrets/webhook";
import { ownNamespace } from "../configured/own-namespace.ts";
import { toAdmissionOptions } from "../configured/webhook-options.ts";
import type { CliContext } from "../context.ts";

export interface LocalAdmissionParts {
  readonly lookup: SecretLookup;
  readonly global: GlobalInjectorOptions;
  readonly namespaceLabels: NamespaceLabels;
  readonly cli: Pick<CliContext, "env">;
}

/**
 * What the webhook of this configuration makes of pods, without a cluster: nothing is written. Who creates a pod isn't
 * known: where the configuration trusts somebody, a claim of a scope that doesn't hold is only warned of.
 */
export function localAdmission(config: Config, { cli, ...parts }: LocalAdmissionParts): MutatePodOptions {
  const options = toAdmissionOptions(config, ownNamespace(config, cli));
  const admission = createAdmission(options, { ...parts, writer: { write: async () => {} } });
  return { ...admission, warnOnly: admission.warnOnly || hasTrustedCreators(config) };
}

/** Whether the configuration names creators that may claim any scope. */
export function hasTrustedCreators({ webhook }: Config): boolean {
  return webhook.scopeBinding.trustedCreators.length > 0;
}

/** The creator of a pod, where none is given. */
export const UNKNOWN_CREATOR = { username: "(unknown)", groups: [] };

/** The error of an admission, with the pod and the HTTP status that the API server would get. */
export function toRejectedPodError(title: string, error: SecretsError): SecretsError {
  const message = `${title} would be rejected with status ${error.kind.admission}: ${error.message}`;
  return new SecretsError(error.code, message, { cause: error });
}
