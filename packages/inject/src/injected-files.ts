import { type Container, type Pod, type SecretRequest, trimEndOf, type Volume } from "@flyte-secrets/core";
import { kubernetesGroup } from "./kubernetes-group.ts";
import { cleanJoinPath } from "./pod/clean-join-path.ts";
import { SECRETS_DIRECTORY } from "./pod/injector.ts";
import { secretPath } from "./secret-path.ts";

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
