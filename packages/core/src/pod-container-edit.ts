import { SecretsError } from "./errors.ts";
import { appendAll, createFrontAdditions, type FrontAdditions, type PatchTarget } from "./json-patch.ts";
import type { Container, EnvVar, VolumeMount } from "./pod.ts";
import type { PodEdit } from "./pod-edit.ts";

/** What a list of edits asks of a container. */
export interface ContainerChanges {
  /** In the order in which they stand at the front: the one set last comes first. */
  readonly variables: readonly EnvVar[];
  /** Those of the variables. */
  readonly names: ReadonlySet<string>;
  /** Puts the variables in front. */
  readonly additions: FrontAdditions;
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
  return toChanges([...variables.values()], [...mounts.values()].reverse());
}

/** These variables and mounts, asked of a container. */
export function toChanges(variables: readonly EnvVar[], mounts: readonly VolumeMount[]): ContainerChanges {
  const names = new Set(variables.map(({ name }) => name));
  return { variables, names, additions: createFrontAdditions(variables), mounts };
}

/** Makes the changes to the container at `to.path`. Gives back the same object when it has them already. */
export function editContainer(container: Container, changes: ContainerChanges, to: PatchTarget): Container {
  const env = putInFront(container.env, changes, { path: `${to.path}/env`, patch: to.patch });
  const volumeMounts = appendAll(container.volumeMounts, missingMounts(container, changes.mounts), {
    path: `${to.path}/volumeMounts`,
    patch: to.patch,
  });
  if (env === container.env && volumeMounts === container.volumeMounts) return container;
  return { ...container, ...(env && { env }), ...(volumeMounts && { volumeMounts }) };
}

/** Brings the variables of an init container of ours, which is in the pod already, up to date, each in its place. */
export function updateVariables(container: Container, wanted: readonly EnvVar[], to: PatchTarget): Container {
  const env = [...(container.env ?? [])];
  const missing: EnvVar[] = [];
  let changed = false;
  for (const variable of wanted) {
    const at = env.findIndex(({ name }) => name === variable.name);
    if (at < 0) missing.push(variable);
    else if (!isSameVariable(env[at], variable)) {
      env[at] = variable;
      to.patch.push({ op: "replace", path: `${to.path}/env/${at}`, value: variable });
      changed = true;
    }
  }
  if (!changed && missing.length === 0) return container;
  const all = appendAll(container.env && env, missing, { path: `${to.path}/env`, patch: to.patch });
  return { ...container, ...(all && { env: all }) };
}

/** Whether two variables say the same. One without a value is empty: the API server drops empty values. */
export function isSameVariable(there: EnvVar | undefined, wanted: EnvVar): boolean {
  if (there?.name !== wanted.name || (there.value ?? "") !== (wanted.value ?? "")) return false;
  if (!wanted.valueFrom?.secretKeyRef) return !there.valueFrom;
  const { name, key, optional = false } = wanted.valueFrom.secretKeyRef;
  const ref = there.valueFrom?.secretKeyRef;
  return ref?.name === name && ref.key === key && (ref.optional ?? false) === optional;
}

function putInFront(env: Container["env"], changes: ContainerChanges, { path, patch }: PatchTarget) {
  const { variables, names, additions } = changes;
  if (variables.length === 0) return env;
  if (!env || env.length === 0) {
    patch.push({ op: "add", path, value: variables });
    return variables;
  }
  const rest = env.filter(({ name }) => !names.has(name));
  const inPlace = rest.length + variables.length === env.length;
  if (inPlace && variables.every((variable, at) => isSameVariable(env[at], variable))) return env;
  // From the end, so that no removal moves what is yet to be removed.
  for (let at = env.length - 1; at >= 0 && rest.length < env.length; at--) {
    if (names.has(env[at]?.name ?? "")) patch.push({ op: "remove", path: `${path}/${at}` });
  }
  for (const operation of additions.operationsAt(path)) patch.push(operation);
  return [...variables, ...rest];
}

function missingMounts(container: Container, mounts: readonly VolumeMount[]): VolumeMount[] {
  const there = container.volumeMounts ?? [];
  const missing = mounts.filter((mount) => !there.some(({ name }) => name === mount.name));
  for (const { mountPath, name } of missing) {
    const other = there.find((mount) => mount.mountPath === mountPath);
    if (other) {
      throw new SecretsError(
        "pod_conflict",
        `container "${container.name}" mounts volume "${other.name}" at ${mountPath}, where secrets go (volume "${name}"): mount it elsewhere`,
      );
    }
  }
  return missing;
}
