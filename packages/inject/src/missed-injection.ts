import {
  fromRequestAnnotations,
  INJECT_LABEL,
  isSecretsError,
  MountRequirement,
  type SecretRequest,
  trimEndOf,
} from "@flyte-secrets/core";
import { SECRETS_DIRECTORY } from "./managers/injector.ts";
import { kubernetesGroup } from "./managers/k8s.ts";
import { secretPath } from "./managers/request-fields.ts";
import { variableNames } from "./managers/variables.ts";
import { cleanJoinPath } from "./pod/clean-join-path.ts";
import type { Container, Pod, Volume } from "./pod/pod.ts";

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

/** Whether there is a file of this path below {@link SECRETS_DIRECTORY}. */
export type HasFile = (path: string) => boolean;

/**
 * What injection has arranged for in a pod below {@link SECRETS_DIRECTORY}: files of mounted Secrets, and what the init containers and
 * Vault's agent are told to write. Each file is asked for rather than all of them listed: many mounts of one volume with many
 * items are as many files as both multiplied.
 */
export function injectedFiles({ metadata, spec }: Pod): HasFile {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  const written = new Set([
    ...(spec.initContainers ?? []).flatMap(writtenFiles),
    ...Object.entries(metadata?.annotations ?? {}).flatMap(([name, value]) =>
      name.startsWith("vault.hashicorp.com/agent-inject-file-")
        ? belowDirectory(cleanJoinPath(SECRETS_DIRECTORY, value))
        : [],
    ),
  ]);
  const isMounted = mountedFiles(containers, spec);
  return (path) => written.has(path) || isMounted(path);
}

/** The paths that one manager or another gives a request's file. */
export function possibleFiles({ group, groupVersion, key }: SecretRequest): string[] {
  const lower = (...parts: string[]) => secretPath(...parts.map((part) => part.toLowerCase()));
  const uri = trimEndOf(group, "/");
  const paths = [
    key === "" ? undefined : secretPath(key),
    key === "" ? undefined : lower(kubernetesGroup({ group, key }), key),
    key === "" || group === "" ? undefined : secretPath(group, key),
    group === "" ? undefined : lower(group, groupVersion),
    uri === "" ? undefined : lower(uri.slice(uri.lastIndexOf("/") + 1), groupVersion),
  ];
  return paths.filter((path) => path !== undefined);
}

function mountedFiles(containers: readonly Container[], { volumes }: Pod["spec"]): HasFile {
  const itemsOf = new Map((volumes ?? []).map((volume) => [volume.name, new Set(itemPaths(volume))]));
  const volumesAt = new Map<string, Set<string>>();
  for (const { name, mountPath } of containers.flatMap(({ volumeMounts }) => volumeMounts ?? [])) {
    const path = cleanJoinPath(mountPath);
    volumesAt.set(path, (volumesAt.get(path) ?? new Set()).add(name));
  }
  return (file) => {
    const path = `${SECRETS_DIRECTORY}/${file}`;
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      for (const name of volumesAt.get(path.slice(0, at)) ?? []) {
        if (itemsOf.get(name)?.has(path.slice(at + 1))) return true;
      }
    }
    return false;
  };
}

function itemPaths({ secret, projected }: Volume): string[] {
  const sources = projected?.sources?.flatMap((source) => source.secret?.items ?? []) ?? [];
  return [...(secret?.items ?? []), ...sources].map(({ path }) => cleanJoinPath(path));
}

/** What an init container of ours or Flyte's writes: by variables of the Embedded manager and AWS, or in a script. */
function writtenFiles({ env, command }: Container): string[] {
  const variables = (env ?? []).flatMap(({ name, value = "" }) => {
    if (name === "SECRET_FILENAME") return [cleanJoinPath(SECRETS_DIRECTORY, value)];
    if (!/^SECRETS(?:_\d+)?$/.test(name)) return [];
    return [...value.matchAll(/^([^=+\n\r\u2028\u2029]+)[=+]/gm)].map(([, key = ""]) => `${SECRETS_DIRECTORY}/${key}`);
  });
  const inScript = (command ?? []).flatMap((text) => text.match(SCRIPT_PATH) ?? []);
  return [...variables, ...inScript].flatMap(belowDirectory);
}

const SCRIPT_PATH = new RegExp(`${SECRETS_DIRECTORY}/[^\\s'"]+`, "g");

function belowDirectory(path: string): string[] {
  const below = `${SECRETS_DIRECTORY}/`;
  return path.startsWith(below) ? [path.slice(below.length)] : [];
}
