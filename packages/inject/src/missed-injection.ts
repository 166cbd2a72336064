import {
  fromRequestAnnotations,
  INJECT_LABEL,
  isSecretsError,
  MountRequirement,
  type Pod,
  type SecretRequest,
} from "@flyte-secrets/core";
import { type HasFile, injectedFiles, possibleFiles } from "./injected-files.ts";
import { kubernetesGroup } from "./kubernetes-group.ts";
import { variableNames } from "./variable-names.ts";

/** Why a pod of a cluster doesn't have the secrets that its maker meant it to have. */
export type MissedInjection =
  /** It asks for secrets, and without the label the webhook is not asked. */
  | { readonly problem: "no label"; readonly requests: readonly SecretRequest[] }
  /** It has the label, and no annotation says what it wants. */
  | { readonly problem: "no requests" }
  /** An annotation can't be read: the webhook would not have let it in. */
  | { readonly problem: "bad annotation"; readonly reason: string }
  /** It has the label, and these of its requests have left no trace. */
  | { readonly problem: "not injected"; readonly requests: readonly SecretRequest[] };

/**
 * Looks at a pod as a cluster has it and finds out whether an injection was missed; undefined when all that it asks for is
 * there, or it asks for nothing. It goes by what injection leaves in a pod, Flyte's as well as ours: variables, mounted files,
 * init containers, annotations. One container that has a secret is enough: others may have been added since.
 */
export function detectMissedInjection(pod: Pod): MissedInjection | undefined {
  const labelled = pod.metadata?.labels?.[INJECT_LABEL] === "true";
  let requests: readonly SecretRequest[];
  try {
    requests = fromRequestAnnotations(pod.metadata?.annotations ?? {});
  } catch (error) {
    if (isSecretsError(error)) return { problem: "bad annotation", reason: error.message };
    throw error;
  }
  if (requests.length === 0) return labelled ? { problem: "no requests" } : undefined;
  const isThere = injectedFiles(pod);
  const missing = requests.filter((request) => !hasVariable(pod, request) && !hasFile(pod, request, isThere));
  if (missing.length === 0) return undefined;
  return { problem: labelled ? "not injected" : "no label", requests: missing };
}

/** Whether a container has a variable with the secret, besides the one that says which prefix such variables have. */
function hasVariable({ spec }: Pod, request: SecretRequest): boolean {
  if (request.mountRequirement === MountRequirement.FILE) return false;
  return spec.containers.some(({ env }) => {
    const told = env?.find(({ name }) => name === "FLYTE_SECRETS_ENV_PREFIX");
    if (!told) return false;
    // The API server leaves out an empty value.
    const names = possibleVariables(request, told.value ?? "");
    return env?.some(({ name }) => names.has(name));
  });
}

function hasFile({ spec }: Pod, request: SecretRequest, isThere: HasFile): boolean {
  if (request.mountRequirement === MountRequirement.ENV_VAR) return false;
  const isTold = spec.containers.some(({ env }) => env?.some(({ name }) => name === "FLYTE_SECRETS_DEFAULT_DIR"));
  return isTold && possibleFiles(request).some(isThere);
}

/** The names that one manager or another gives a secret's variable. */
function possibleVariables({ group, key, envVar }: SecretRequest, prefix: string): ReadonlySet<string> {
  const style = "posix";
  const names = [key, `${kubernetesGroup({ group, key })}_${key}`].flatMap((name) => {
    const upper = name.toUpperCase();
    return [prefix + upper, (prefix + upper).toUpperCase()].flatMap((raw) => variableNames(raw, { prefix, style }));
  });
  return new Set(envVar === "" ? names : [...names, envVar]);
}
