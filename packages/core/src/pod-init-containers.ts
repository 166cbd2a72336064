import { SecretsError } from "./errors.ts";
import { appendAll, type JsonPatchOperation } from "./json-patch.ts";
import type { Container, PodSpec } from "./pod.ts";
import {
  type ContainerChanges,
  containerChanges,
  editContainer,
  isSameVariable,
  toChanges,
  updateVariables,
} from "./pod-container-edit.ts";
import type { OwnContainer, PodEdit } from "./pod-edit.ts";

type InitContainerEdit = Extract<PodEdit, { kind: "initContainer" }>;

/** An init container of the edited pod. */
interface Placed {
  /** As the pod has it, or as it is added. */
  readonly container: Container;
  readonly added: boolean;
  /** With an init container of ours: what it is to be, and the position of the edit that makes it. */
  own?: { readonly wanted: OwnContainer; readonly since: number };
}

/** Where changes go and who gets those that are for all containers. */
export interface InitContainersTarget {
  readonly patch: JsonPatchOperation[];
  readonly forAll: ContainerChanges;
  /** Nobody but these. */
  readonly only: ReadonlySet<string> | undefined;
}

/** The init containers of a pod with those of `edits` added, and all changed as the edits from their beginning on ask. */
export function editInitContainers(
  spec: PodSpec,
  edits: readonly PodEdit[],
  { patch, forAll, only }: InitContainersTarget,
): PodSpec["initContainers"] {
  if (!spec.initContainers && !edits.some(({ kind }) => kind === "initContainer")) return spec.initContainers;
  const edited: Container[] = [];
  const added: Container[] = [];
  for (const [index, { container, added: isNew, own }] of place(spec, edits).entries()) {
    const to = { path: `/spec/initContainers/${index}`, patch };
    const changes = only?.has(container.name) === false ? NO_CHANGES : own ? changesFor(own, edits) : forAll;
    if (!own) edited.push(editContainer(container, changes, to));
    else if (isNew) added.push(editContainer(container, changes, { path: "", patch: [] }));
    else edited.push(editContainer(updateVariables(container, own.wanted.env, to), changes, to));
  }
  return appendAll(spec.initContainers && edited, added, { path: "/spec/initContainers", patch });
}

const NO_CHANGES = toChanges([], []);

/** A task's variable must not replace one that our own container works with. */
function changesFor({ wanted, since }: { wanted: OwnContainer; since: number }, edits: readonly PodEdit[]) {
  const changes = containerChanges(edits, since);
  const isOwn = (name: string) => wanted.env.some((own) => own.name === name);
  const variables = changes.variables.filter(({ name }) => !isOwn(name));
  return toChanges(variables, changes.mounts);
}

function place(spec: PodSpec, edits: readonly PodEdit[]): Placed[] {
  const placed: Placed[] = (spec.initContainers ?? []).map((container) => ({ container, added: false }));
  for (const [since, edit] of edits.entries()) {
    if (edit.kind !== "initContainer") continue;
    const there = findOwn(placed, spec, edit);
    if (there) there.own ??= { wanted: edit.container, since };
    else {
      const wanted = edit.numbered ? { ...edit.container, name: freeName(placed, edit) } : edit.container;
      placed.push({ container: wanted, added: true, own: { wanted, since } });
    }
  }
  return placed;
}

function findOwn(placed: readonly Placed[], spec: PodSpec, edit: InitContainerEdit): Placed | undefined {
  for (const { name } of spec.containers) if (hasOurName(name, edit)) throw conflict(name);
  for (const candidate of placed) {
    const { container } = candidate;
    if (!hasOurName(container.name, edit)) continue;
    if (!hasOurShape(container, edit)) throw conflict(container.name);
    if (!edit.numbered || isForSameRequest(container, edit.container)) return candidate;
  }
  return undefined;
}

function hasOurName(name: string, { container, numbered }: InitContainerEdit): boolean {
  if (!numbered) return name === container.name;
  return name.startsWith(container.name) && /^[0-9]+$/.test(name.slice(container.name.length));
}

function hasOurShape(there: Container, { container, numbered }: InitContainerEdit): boolean {
  const [own] = container.volumeMounts;
  return (
    there.image === container.image &&
    (numbered || hasCommand(there, container)) &&
    (there.volumeMounts ?? []).some(
      ({ name, mountPath, readOnly }) => name === own.name && mountPath === own.mountPath && !readOnly,
    )
  );
}

function isForSameRequest(there: Container, wanted: OwnContainer): boolean {
  return (
    hasCommand(there, wanted) &&
    wanted.env.every((variable) => there.env?.some((candidate) => isSameVariable(candidate, variable)))
  );
}

function hasCommand(there: Container, wanted: OwnContainer): boolean {
  const [a, b] = [there.command ?? [], wanted.command ?? []];
  return a.length === b.length && a.every((word, at) => word === b[at]);
}

/** The number is that of the init containers before it; a higher one only if somebody took containers out since. */
function freeName(placed: readonly Placed[], { container }: InitContainerEdit): string {
  let number = placed.length;
  while (placed.some((other) => other.container.name === `${container.name}${number}`)) number++;
  return `${container.name}${number}`;
}

function conflict(name: string): SecretsError {
  return new SecretsError(
    "pod_conflict",
    `container "${name}" has the name of an init container of ours, but another image, command or mount: rename it`,
  );
}
