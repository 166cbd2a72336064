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

/** The reason why a pod in a cluster lacks the secrets that its author intended. */
export type MissedInjection =
  /** It requests secrets but lacks the label, without which the API server doesn't call the webhook. */
  | { readonly problem: "no label"; readonly requests: readonly SecretRequest[] }
  /** It has the label but no request annotation. */
  | { readonly problem: "no requests" }
  /** An annotation is invalid: the webhook would have rejected the pod. */
  | { readonly problem: "bad annotation"; readonly reason: string }
  /** It has the label, but these requests left no trace in it. */
  | { readonly problem: "not injected"; readonly requests: readonly SecretRequest[] };

/**
 * Detects whether a pod in a cluster missed an injection; undefined when it has everything that it requests, or
 * requests nothing. It looks for the traces of an injection, ours or Flyte's: variables, mounted files, init containers
 * and annotations. One container with a secret is enough, because others may have been added later.
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

/** Whether a container has a variable with the secret, and the variable that holds the prefix of such variables. */
function hasVariable({ spec }: Pod, request: SecretRequest): boolean {
  if (request.mountRequirement === MountRequirement.FILE) return false;
  return spec.containers.some(({ env }) => {
    const prefix = env?.find(({ name }) => name === "FLYTE_SECRETS_ENV_PREFIX");
    if (!prefix) return false;
    // The API server drops empty values.
    const names = possibleVariables(request, prefix.value ?? "");
    return env?.some(({ name }) => names.has(name));
  });
}

function hasFile({ spec }: Pod, request: SecretRequest, isThere: FilePredicate): boolean {
  if (request.mountRequirement === MountRequirement.ENV_VAR) return false;
  const hasDirectory = spec.containers.some(({ env }) => env?.some(({ name }) => name === "FLYTE_SECRETS_DEFAULT_DIR"));
  return hasDirectory && possibleFiles(request).some(isThere);
}

/** The names that the managers give to a secret's variable. */
function possibleVariables({ group, key, envVar }: SecretRequest, prefix: string): ReadonlySet<string> {
  const style = "posix";
  const names = [key, `${kubernetesGroup({ group, key })}_${key}`].flatMap((name) => {
    const upper = name.toUpperCase();
    return [prefix + upper, (prefix + upper).toUpperCase()].flatMap((raw) => variableNames(raw, { prefix, style }));
  });
  return new Set(envVar === "" ? names : [...names, envVar]);
}

/** Reports whether there is a file of this path below {@link SECRETS_DIRECTORY}. */
export type FilePredicate = (path: string) => boolean;

/**
 * The files below {@link SECRETS_DIRECTORY} that an injection gave a pod: those of mounted Secrets, and those that init
 * containers and Vault's agent write. It is a predicate and not a list, because a list would have the product of a
 * volume's mounts and items.
 */
export function injectedFiles({ metadata, spec }: Pod): FilePredicate {
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

/** The paths that the managers give to a request's file. */
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

function mountedFiles(containers: readonly Container[], { volumes }: Pod["spec"]): FilePredicate {
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

/** The files that an init container of ours or Flyte's writes, by its variables (Embedded, AWS) or its script. */
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
