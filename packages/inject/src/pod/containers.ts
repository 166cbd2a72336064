import { excerpt, quote, SecretsError } from "@flyte-secrets/core";
import { cleanJoinPath } from "./clean-join-path.ts";
import type { PodEdit } from "./edit.ts";
import { appendAll, type JsonPatchOperation, type PatchTarget } from "./json-patch.ts";
import type { Container, EnvVar, VolumeMount } from "./pod.ts";

/** What a list of edits asks of a container. */
export interface ContainerChanges {
  /** In the order in which they stand at the front: the one set last comes first. */
  readonly variables: readonly EnvVar[];
  /** One a volume, in the order in which they go to the end. */
  readonly mounts: readonly VolumeMount[];
}

/** What the edits from position `since` on ask of each container. */
export function containerChanges(edits: readonly PodEdit[], since: number): ContainerChanges {
  const variables = new Map<string, EnvVar>();
  const mounts = new Map<string, VolumeMount>();
  for (const edit of edits.slice(since).reverse()) {
    if (edit.kind === "env" && !variables.has(edit.variable.name)) variables.set(edit.variable.name, edit.variable);
    if (edit.kind === "mount") mounts.set(edit.mount.name, edit.mount);
  }
  return { variables: [...variables.values()], mounts: [...mounts.values()].reverse() };
}

/** Adds to `patch` what makes the changes to a container: nothing when it has them already. */
export type ContainerEditor = (container: Container, patch: JsonPatchOperation[]) => void;

/** Makes the changes to any container that is at `path` of its pod, with the same operations wherever they are the same. */
export function createContainerEditor({ variables, mounts }: ContainerChanges, path: string): ContainerEditor {
  const putInFront = createVariablesEditor(variables, `${path}/env`);
  const allMounts: JsonPatchOperation = { op: "add", path: `${path}/volumeMounts`, value: mounts };
  const eachMount = mounts.map((mount) => ({
    mount,
    operation: { op: "add", path: `${path}/volumeMounts/-`, value: mount } satisfies JsonPatchOperation,
  }));
  return (container, patch) => {
    putInFront(container, patch);
    if (mounts.length === 0) return;
    if (!container.volumeMounts) patch.push(allMounts);
    else {
      const isMounted = createMountCheck(container, mounts.length);
      for (const { mount, operation } of eachMount) if (!isMounted(mount)) patch.push(operation);
    }
  };
}

function createVariablesEditor(variables: readonly EnvVar[], path: string): ContainerEditor {
  const names = new Set(variables.map(({ name }) => name));
  // A length is quicker to look up than a name that was never hashed, and mostly no name of ours has it.
  const hasLength: boolean[] = [];
  for (const { name } of variables) hasLength[name.length] = true;
  const isOurs = (name: string) => hasLength[name.length] === true && names.has(name);
  const whole: JsonPatchOperation = { op: "add", path, value: variables };
  const inFront = variables.map((value, at): JsonPatchOperation => ({ op: "add", path: `${path}/${at}`, value }));
  return ({ env }, patch) => {
    if (variables.length === 0) return;
    if (!env || env.length === 0) {
      patch.push(whole);
      return;
    }
    let replaced = 0;
    for (const { name } of env) if (isOurs(name)) replaced++;
    const inPlace = replaced === variables.length;
    if (inPlace && variables.every((variable, at) => isSameVariable(env[at], variable))) return;
    // From the end, so that no removal moves what is yet to be removed.
    for (let at = env.length - 1; replaced > 0; at--) {
      if (!isOurs(env[at]?.name ?? "")) continue;
      patch.push({ op: "remove", path: `${path}/${at}` });
      replaced--;
    }
    for (const operation of inFront) patch.push(operation);
  };
}

/** Up to so many comparisons are quicker than making maps. */
const FEW_COMPARISONS = 100;

/** A path that doesn't say where it is in the shortest way, or from the root on. */
const UNCLEAN = /^[^/]|\/(?:$|\/|\.\.?(?:\/|$))/;

/**
 * With the path where the container runtime mounts it: the API server takes any spelling, and tells two of one path
 * apart.
 */
function cleaned(mount: VolumeMount): VolumeMount {
  return UNCLEAN.test(mount.mountPath) ? { ...mount, mountPath: cleanJoinPath("/", mount.mountPath) } : mount;
}

/**
 * Tells whether a container mounts a volume, in time that grows with its mounts and the questions and not with their product. Throws
 * `pod_conflict` where it mounts another volume at that path.
 */
function createMountCheck({ name: containerName, volumeMounts }: Container, questions: number) {
  const there = (volumeMounts ?? []).map(cleaned);
  const refuse = (other: VolumeMount, { name, mountPath }: VolumeMount) => {
    throw new SecretsError(
      "pod_conflict",
      `container ${quote(containerName)} mounts volume ${quote(other.name)} at ${excerpt(mountPath)}, where secrets go (volume "${name}"): mount it elsewhere`,
    );
  };
  if (there.length * questions <= FEW_COMPARISONS) {
    return (mount: VolumeMount): boolean => {
      if (there.some(({ name }) => name === mount.name)) return true;
      const other = there.find(({ mountPath }) => mountPath === mount.mountPath);
      if (other) refuse(other, mount);
      return false;
    };
  }
  const names = new Set(there.map(({ name }) => name));
  const paths = new Map(there.toReversed().map((mount) => [mount.mountPath, mount]));
  return (mount: VolumeMount): boolean => {
    if (names.has(mount.name)) return true;
    const other = paths.get(mount.mountPath);
    if (other) refuse(other, mount);
    return false;
  };
}

/** Brings the variables of an init container of ours, which is in the pod already, up to date, each in its place. */
export function updateVariables({ env }: Container, wanted: readonly EnvVar[], { path, patch }: PatchTarget): void {
  const missing: EnvVar[] = [];
  for (const variable of wanted) {
    const at = env?.findIndex(({ name }) => name === variable.name) ?? -1;
    if (at < 0) missing.push(variable);
    else if (!isSameVariable(env?.[at], variable)) {
      patch.push({ op: "replace", path: `${path}/env/${at}`, value: variable });
    }
  }
  appendAll(env, missing, { path: `${path}/env`, patch });
}

/** Whether two variables say the same. One without a value is empty: the API server drops empty values. */
export function isSameVariable(there: EnvVar | undefined, wanted: EnvVar): boolean {
  if (there?.name !== wanted.name || (there.value ?? "") !== (wanted.value ?? "")) return false;
  if (!wanted.valueFrom?.secretKeyRef) return !there.valueFrom;
  const { name, key, optional = false } = wanted.valueFrom.secretKeyRef;
  const ref = there.valueFrom?.secretKeyRef;
  return ref?.name === name && ref.key === key && (ref.optional ?? false) === optional;
}
