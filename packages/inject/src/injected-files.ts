import {
  type Container,
  cleanJoinPath,
  type Pod,
  SECRETS_DIRECTORY,
  type SecretRequest,
  trimEndOf,
} from "@flyte-secrets/core";
import { kubernetesGroup } from "./kubernetes-group.ts";
import { secretPath } from "./secret-path.ts";

/**
 * The files below {@link SECRETS_DIRECTORY} that injection has arranged for in a pod, by their path there: files of mounted
 * Secrets, and what the init containers and Vault's agent are told to write.
 */
export function injectedFiles({ metadata, spec }: Pod): ReadonlySet<string> {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  return new Set([
    ...containers.flatMap((container) => mountedFiles(container, spec)),
    ...(spec.initContainers ?? []).flatMap(writtenFiles),
    ...Object.entries(metadata?.annotations ?? {}).flatMap(([name, value]) =>
      name.startsWith("vault.hashicorp.com/agent-inject-file-")
        ? belowDirectory(cleanJoinPath(SECRETS_DIRECTORY, value))
        : [],
    ),
  ]);
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

function mountedFiles({ volumeMounts }: Container, { volumes }: Pod["spec"]): string[] {
  return (volumeMounts ?? []).flatMap(({ name, mountPath }) => {
    const volume = volumes?.find((candidate) => candidate.name === name);
    const projected = volume?.projected?.sources?.flatMap(({ secret }) => secret?.items ?? []) ?? [];
    const items = [...(volume?.secret?.items ?? []), ...projected];
    return items.flatMap(({ path }) => belowDirectory(cleanJoinPath(mountPath, path)));
  });
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
