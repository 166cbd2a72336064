import { excerpt, quote, SecretsError } from "@flyte-secrets/core";
import { cleanJoinPath } from "./clean-join-path.ts";
import type { PodEdit } from "./edit.ts";
import { appendAll, type JsonPatchOperation, type PatchTarget } from "./json-patch.ts";
import type { Container, EnvVar, VolumeMount } from "./pod.ts";

/** The variables and mounts that a list of edits adds to a container. */
export interface ContainerChanges {
  /** In the order in which they stand at the front of the list: the one set last comes first. */
  readonly variables: readonly EnvVar[];
  /** One for each volume, in the order in which they are appended. */
  readonly mounts: readonly VolumeMount[];
}

/** The changes that the edits from position `since` on make to each container. */
export function containerChanges(edits: readonly PodEdit[], since: number): ContainerChanges {
  const variables = new Map<string, EnvVar>();
  const mounts = new Map<string, VolumeMount>();
  for (const edit of edits.slice(since).reverse()) {
    if (edit.kind === "env" && !variables.has(edit.variable.name)) variables.set(edit.variable.name, edit.variable);
    if (edit.kind === "mount") mounts.set(edit.mount.name, edit.mount);
  }
  return { variables: [...variables.values()], mounts: [...mounts.values()].reverse() };
}

/** Adds to `patch` the operations that make the changes to a container; none when it has them already. */
export type ContainerEditor = (container: Container, patch: JsonPatchOperation[]) => void;

/**
 * An editor for the container at `path` of any pod. Equal changes are the same operation objects, so that equal patches
 * can be recognised without comparing their content.
 */
export function createContainerEditor({ variables, mounts }: ContainerChanges, path: string): ContainerEditor {
  const editVariables = createVariablesEditor(variables, `${path}/env`);
  const addAll: JsonPatchOperation = { op: "add", path: `${path}/volumeMounts`, value: mounts };
  const additions = mounts.map((mount) => ({
    mount,
    operation: { op: "add", path: `${path}/volumeMounts/-`, value: mount } satisfies JsonPatchOperation,
  }));
  return (container, patch) => {
    editVariables(container, patch);
    if (mounts.length === 0) return;
    if (!container.volumeMounts) patch.push(addAll);
    else {
      const isMounted = createMountCheck(container);
      for (const { mount, operation } of additions) if (!isMounted(mount)) patch.push(operation);
    }
  };
}

/** Puts the variables at the front of the list, and removes others of their names. */
function createVariablesEditor(variables: readonly EnvVar[], path: string): ContainerEditor {
  const names = new Set(variables.map(({ name }) => name));
  const addAll: JsonPatchOperation = { op: "add", path, value: variables };
  const additions = variables.map((value, at): JsonPatchOperation => ({ op: "add", path: `${path}/${at}`, value }));
  return ({ env }, patch) => {
    if (variables.length === 0) return;
    if (!env || env.length === 0) {
      patch.push(addAll);
      return;
    }
    const positions: number[] = [];
    for (let at = 0; at < env.length; at++) if (names.has(env[at]?.name ?? "")) positions.push(at);
    const isComplete = positions.length === variables.length;
    if (isComplete && variables.every((variable, at) => isSameVariable(env[at], variable))) return;
    // From the end, so that no removal moves a variable that is yet to be removed.
    for (const at of positions.reverse()) patch.push({ op: "remove", path: `${path}/${at}` });
    patch.push(...additions);
  };
}

/** A new container with the changes made to it. None of the variables may have the name of one that it has. */
export function withChanges(container: Container, { variables, mounts }: ContainerChanges): Container {
  const isMounted = createMountCheck(container);
  return {
    ...container,
    env: [...variables, ...(container.env ?? [])],
    volumeMounts: [...(container.volumeMounts ?? []), ...mounts.filter((mount) => !isMounted(mount))],
  };
}

/**
 * Reports whether a container mounts a volume, in constant time for each mount. Throws `pod_conflict` where the
 * container mounts another volume at that path.
 */
function createMountCheck({ name: containerName, volumeMounts }: Container): (mount: VolumeMount) => boolean {
  const volumes = new Set<string>();
  const volumeAt = new Map<string, string>();
  for (const { name, mountPath } of volumeMounts ?? []) {
    const path = toCleanPath(mountPath);
    volumes.add(name);
    if (!volumeAt.has(path)) volumeAt.set(path, name);
  }
  return ({ name, mountPath }) => {
    if (volumes.has(name)) return true;
    const other = volumeAt.get(mountPath);
    if (other === undefined) return false;
    throw new SecretsError(
      "pod_conflict",
      `container ${quote(containerName)} mounts volume ${quote(other)} at ${excerpt(mountPath)}, ` +
        `where secrets go (volume "${name}"): mount it elsewhere`,
    );
  };
}

/** A path that is relative, or not written in its shortest form. */
const UNCLEAN = /^[^/]|\/(?:$|\/|\.\.?(?:\/|$))/;

/**
 * The path at which the container runtime mounts a volume: the API server accepts any spelling, and takes two spellings
 * of one path for different paths.
 */
function toCleanPath(mountPath: string): string {
  return UNCLEAN.test(mountPath) ? cleanJoinPath("/", mountPath) : mountPath;
}

/**
 * Adds to the target's patch what brings the variables of a container up to date, each in its place; missing ones are
 * appended. Returns the container with these variables.
 */
export function updateVariables(
  container: Container,
  wanted: readonly EnvVar[],
  { path, patch }: PatchTarget,
): Container {
  const env = [...(container.env ?? [])];
  const missing: EnvVar[] = [];
  for (const variable of wanted) {
    const at = env.findIndex(({ name }) => name === variable.name);
    if (at < 0) missing.push(variable);
    else if (!isSameVariable(env[at], variable)) {
      env[at] = variable;
      patch.push({ op: "replace", path: `${path}/env/${at}`, value: variable });
    }
  }
  appendAll(container.env, missing, { path: `${path}/env`, patch });
  return { ...container, env: [...env, ...missing] };
}

/** Whether two variables are the same. One without a value is empty: the API server drops empty values. */
export function isSameVariable(there: EnvVar | undefined, wanted: EnvVar): boolean {
  if (there?.name !== wanted.name || (there.value ?? "") !== (wanted.value ?? "")) return false;
  if (!wanted.valueFrom?.secretKeyRef) return !there.valueFrom;
  const { name, key, optional = false } = wanted.valueFrom.secretKeyRef;
  const ref = there.valueFrom?.secretKeyRef;
  return ref?.name === name && ref.key === key && (ref.optional ?? false) === optional;
}
