import {
  encodeSecretId,
  type InjectContext,
  type Injection,
  type Injector,
  isSecretsError,
  kubernetesSecretName,
  type LookupAttempt,
  type LookupResult,
  MountRequirement,
  SECRETS_DIRECTORY,
  type SecretLookup,
  type SecretRequest,
  type SecretScope,
  type SecretSource,
  setVariable,
} from "@flyte-secrets/core";
import { unrecognizedMount } from "./mount-requirement.ts";
import { prefixEdit, valueEdits } from "./value-edits.ts";
import { variableNames } from "./variable-names.ts";
import { variableFault } from "./variable-value.ts";

export interface EmbeddedInjectorOptions {
  readonly lookup: SecretLookup;
}

/**
 * The secret manager that has the values itself (spec page 4, Embedded): looks the key up at the scopes that the pod's
 * labels name, narrowest first, and hands the value to the delivery. The request's group does not count.
 */
export function createEmbeddedInjector({ lookup }: EmbeddedInjectorOptions): Injector {
  return {
    name: "Embedded",
    async inject(request, context) {
      const fault = requestFault(request);
      if (fault !== undefined) return { injected: false, reason: fault };
      const scope = scopeOf(context.labels);
      if (typeof scope === "string") return { injected: false, reason: scope };

      const result = await find(lookup, { scope, key: request.key, context });
      if (typeof result === "string") return { injected: false, reason: result };
      if (!result.found) {
        return { injected: false, reason: `secret not found across all scopes, looked for ${listed(result.attempts)}` };
      }
      return deliver(request, result, context);
    },
  };
}

type Found = Extract<LookupResult, { found: true }>;

function deliver(request: SecretRequest, result: Found, context: InjectContext): Injection {
  const source = sourceOf(result, context.namespace);
  const found = { id: result.id, level: result.level };
  if (request.mountRequirement === MountRequirement.FILE) {
    const path = `${SECRETS_DIRECTORY}/${request.key}`;
    const edits = request.envVar === "" ? [] : [setVariable(request.envVar, path)];
    return { injected: true, found, edits: [{ kind: "secretFile", file: request.key, source }, ...edits] };
  }
  const standard = context.variables.prefix + request.key.toUpperCase();
  const names = request.envVar === "" ? variableNames(standard, context.variables) : [request.envVar];
  const fault = variableFault(result.value, request.key, names);
  if (fault !== undefined) return { injected: false, reason: fault };
  return { injected: true, found, edits: [prefixEdit(context), ...valueEdits(names, source)] };
}

function requestFault(request: SecretRequest): string | undefined {
  const { key, mountRequirement } = request;
  if (key === "") return "Embedded Secrets Webhook requires key to be set";
  const { ANY, ENV_VAR, FILE } = MountRequirement;
  if (mountRequirement === ANY || mountRequirement === ENV_VAR) return undefined;
  if (mountRequirement !== FILE) return unrecognizedMount(request);
  // As in Kubernetes: such names belong to the kubelet's own links in a volume of files.
  return key === "." || key.startsWith("..") ? `key "${key}" can't be the name of a file` : undefined;
}

/** The scope that a pod's labels claim, or which of them is missing. */
function scopeOf(labels: InjectContext["labels"]): SecretScope | string {
  const { organization: org = "", project = "", domain = "" } = labels;
  const missing = org === "" ? "organization" : project === "" ? "project" : domain === "" ? "domain" : undefined;
  if (missing === undefined) return { org, domain, project };
  return `secret read requirements not met due to empty ${missing} field in the pod labels`;
}

/** A key or label that can be no part of an id is a reason, not a fault: another manager may know the key. */
async function find(
  lookup: SecretLookup,
  { scope, key, context }: { scope: SecretScope; key: string; context: InjectContext },
): Promise<LookupResult | string> {
  try {
    return await lookup.find(scope, key, context.signal ? { signal: context.signal } : {});
  } catch (error) {
    if (isSecretsError(error, "invalid_argument")) return error.message;
    throw error;
  }
}

function sourceOf({ id, value, namespace }: Found, podNamespace: string): SecretSource {
  const label = encodeSecretId(id);
  if (namespace !== podNamespace) return { kind: "value", value, label };
  return { kind: "value", value, label, location: { name: kubernetesSecretName(id), key: label } };
}

function listed(attempts: readonly LookupAttempt[]): string {
  return attempts.map(({ provider, id }) => `${id} (${provider})`).join(", ");
}
