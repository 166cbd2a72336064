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
  return { ...admission, warnOnly: admission.warnOnly || trustsSomebody(config) };
}

/** Whether whoever creates a pod may be one who may claim any scope. */
export function trustsSomebody({ webhook }: Config): boolean {
  return webhook.scopeBinding.trustedCreators.length > 0;
}

/** Where nobody says who creates a pod. */
export const UNKNOWN_CREATOR = { username: "(unknown)", groups: [] };

/** What a pod's rejection is told as. */
export function toRejection(title: string, error: SecretsError): SecretsError {
  const message = `${title} would be rejected with status ${error.kind.admission}: ${error.message}`;
  return new SecretsError(error.code, message, { cause: error });
}
