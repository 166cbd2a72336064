import { createHash } from "node:crypto";
import {
  decodeSecretId,
  encodeBase32Lower,
  isSecretsError,
  MountRequirement,
  type ScopeLevel,
  type ScopeLookup,
  type SecretId,
  type SecretRequest,
} from "@flyte-secrets/core";
import {
  DIRECTORY_EDITS,
  type InjectContext,
  type Injector,
  type InjectorEdit,
  prefixEdit,
  SECRETS_DIRECTORY,
  type SecretSource,
  setVariable,
  valueEdits,
} from "./injector.ts";
import { findForPod, scopeOf, sourceOf } from "./pod-scope.ts";
import { describeUnknownMount, type GroupNames, PATH_LEAVES, secretPath, validateGroup } from "./request-fields.ts";
import { variableNames } from "./variables.ts";

const GROUPS: GroupNames = { what: "the name of a Secret", maxLength: 253 };

export interface K8sInjectorOptions {
  /** Finds managed secrets for requests without a group. */
  readonly lookup: ScopeLookup;
  /** Whether the delivery can copy a managed secret into the pod's namespace. */
  readonly copies: boolean;
  /** `k8sSecretManager.optional`; true by default, as in Flyte: a missing Secret or key leaves variable or file out. */
  readonly optional?: boolean;
}

/**
 * Kubernetes Secrets in the pod's namespace: `group` is the Secret's name, `key` the data key. A request without a
 * group means the managed secret of that key at the scopes that the pod's labels name. The MD5 of the key then replaces
 * the group in the names that the task sees, because Flyte's SDK knows only the key (I-21, I-22).
 */
export function createK8sInjector(options: K8sInjectorOptions): Injector {
  return {
    name: "K8s",
    refersTo(request, { labels }) {
      if (validateRequest(request) !== undefined) return { kind: "nothing" };
      if (isOfScope(request, labels)) return { kind: "scope" };
      const { key } = request;
      return { kind: "kubernetesSecret", name: kubernetesGroup(request), key, isGroup: request.group !== "" };
    },
    async inject(request, context) {
      const reason = validateRequest(request);
      if (reason !== undefined) return { injected: false, reason };
      const group = kubernetesGroup(request);
      const result = await findSource(request, group, { options, context });
      if (typeof result === "string") return { injected: false, reason: result };
      const { source, ...found } = result;

      if (request.mountRequirement === MountRequirement.ENV_VAR) {
        return { injected: true, ...found, edits: variableEdits({ ...request, group }, source, context) };
      }
      const edits = fileEdits({ ...request, group }, source);
      return edits ? { injected: true, ...found, edits } : { injected: false, reason: PATH_LEAVES };
    },
  };
}

interface K8sSource {
  readonly source: SecretSource;
  readonly found?: { readonly id: SecretId; readonly level: ScopeLevel };
}

/** Whether a request means a secret of the scope that the labels name, rather than a Secret by its name. */
function isOfScope({ group, key }: SecretRequest, labels: InjectContext["labels"]): boolean {
  return group === "" && !isEncodedId(key) && typeof scopeOf(labels) !== "string";
}

async function findSource(
  request: SecretRequest,
  group: string,
  { options, context }: { options: K8sInjectorOptions; context: InjectContext },
): Promise<K8sSource | string> {
  const { optional = true } = options;
  const reference = (name: string, dataKey: string): SecretSource => ({
    kind: "reference",
    reference: { name, key: dataKey, ...(optional && { optional }) },
  });
  const { key } = request;
  if (!isOfScope(request, context.labels)) return { source: reference(group, key) };
  const result = await findForPod(options.lookup, key, context);
  if (!result.found) return result.reason;
  const found = { id: result.id, level: result.level };
  const source = sourceOf(result, context);
  if (source.location) return { source: reference(source.location.name, source.location.key), found };
  if (options.copies) return { source, found };
  return `the secret is not in namespace ${context.namespace}, and only delivery SecretRef copies it there`;
}

function variableEdits(request: SecretRequest, source: SecretSource, context: InjectContext): InjectorEdit[] {
  const { group, key, envVar } = request;
  const standard = `${context.variables.prefix}${group}_${key}`.toUpperCase();
  const names = [...variableNames(standard, context.variables), ...(envVar === "" ? [] : [envVar])];
  return [...valueEdits(names, source), prefixEdit(context)];
}

function fileEdits(request: SecretRequest, source: SecretSource): InjectorEdit[] | undefined {
  const { group, groupVersion, key, envVar } = request;
  const directory = secretPath(group.toLowerCase());
  const file = key.toLowerCase();
  const path = secretPath(group.toLowerCase(), file);
  if (directory === undefined || !path?.startsWith(`${directory}/`)) return undefined;
  const volume = volumeName(`${group}_${groupVersion}`);
  return [
    { kind: "secretFile", file, source, group: { name: group, directory, volume } },
    ...DIRECTORY_EDITS,
    ...(envVar === "" ? [] : [setVariable(envVar, `${SECRETS_DIRECTORY}/${path}`)]),
  ];
}

/** Kubernetes allows 63 characters. A longer name is hashed, where Flyte's pod would be refused. */
function volumeName(text: string): string {
  const name = encodeBase32Lower(text);
  return name.length <= 63 ? name : createHash("sha256").update(text).digest("hex").slice(0, 63);
}

function isEncodedId(key: string): boolean {
  try {
    decodeSecretId(key);
    return true;
  } catch (error) {
    if (isSecretsError(error, "invalid_argument")) return false;
    throw error;
  }
}

function validateRequest(request: SecretRequest): string | undefined {
  if (request.key === "") return "k8s Secrets Webhook require key to be set";
  const known = Object.values<number>(MountRequirement).includes(request.mountRequirement);
  return known ? validateGroup(request, GROUPS) : describeUnknownMount(request);
}

/** The group in the names of variables, files and volumes of the K8s manager: the request's, or the MD5 of its key. */
export function kubernetesGroup({ group, key }: Pick<SecretRequest, "group" | "key">): string {
  return group || createHash("md5").update(key).digest("hex");
}
