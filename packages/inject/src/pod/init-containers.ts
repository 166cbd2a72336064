import { quote, SecretsError } from "@flyte-secrets/core";
import {
  type ContainerChanges,
  containerChanges,
  createContainerEditor,
  isSameVariable,
  updateVariables,
} from "./containers.ts";
import type { OwnContainer, PodEdit } from "./edit.ts";
import { appendAll, applyPatch, type JsonPatchOperation } from "./json-patch.ts";
import type { Container, PodSpec } from "./pod.ts";
import { restrictedContext } from "./restricted-context.ts";

type InitContainerEdit = Extract<PodEdit, { kind: "initContainer" }>;

/** An init container of the edited pod. */
interface Placed {
  /** As the pod has it, or as it is added. */
  readonly container: Container;
  readonly added: boolean;
  /** Of an added one: before those of the pod. */
  readonly first: boolean;
  /** With an init container of ours: what it is to be, and the position of the edit that makes it. */
  own?: { readonly wanted: OwnContainer; readonly since: number };
}

/** Adds to `patch` what the init containers of a pod lack; with `only`, nobody but those it names is changed. */
export type InitContainersEditor = (
  spec: PodSpec,
  patch: JsonPatchOperation[],
  only: ReadonlySet<string> | undefined,
) => void;

/** Adds the init containers of `edits`, and makes in all of them the changes that the edits from their beginning on ask for. */
export function createInitContainersEditor(edits: readonly PodEdit[], forAll: ContainerChanges): InitContainersEditor {
  const own = edits.filter((edit) => edit.kind === "initContainer");
  /** What is added to pods that have no init container, by the security context that it gets. */
  const whereNoneIs = new Map<string, readonly JsonPatchOperation[]>();
  const variantOf = (spec: PodSpec) =>
    own.map(({ settings }) => JSON.stringify(settings && restrictedContext(spec, settings))).join();
  return (spec, patch, only) => {
    for (const edit of own) refuseOurName(spec, edit);
    if (spec.initContainers || only) {
      for (const operation of patchOf(spec, only)) patch.push(operation);
    } else if (own.length > 0) {
      const variant = variantOf(spec);
      const known = whereNoneIs.get(variant) ?? patchOf(spec, only);
      // Users are numbers, of which pods may name any.
      if (whereNoneIs.size < MAX_VARIANTS) whereNoneIs.set(variant, known);
      for (const operation of known) patch.push(operation);
    }
  };

  function patchOf(spec: PodSpec, only: ReadonlySet<string> | undefined): readonly JsonPatchOperation[] {
    const patch: JsonPatchOperation[] = [];
    const added: Container[] = [];
    const inFront: Container[] = [];
    for (const [index, placed] of place(spec, edits).entries()) {
      const isLeft = only?.has(placed.container.name) === false;
      const changes = isLeft ? NO_CHANGES : placed.own ? changesFor(placed.own, edits) : forAll;
      const within = patchWithin(placed, changes);
      if (placed.added) (placed.first ? inFront : added).push(applyPatch(placed.container, within));
      else for (const one of within) patch.push({ ...one, path: `/spec/initContainers/${index}${one.path}` });
    }
    const path = "/spec/initContainers";
    if (!spec.initContainers || spec.initContainers.length === 0) {
      appendAll(spec.initContainers, [...inFront, ...added], { path, patch });
      return patch;
    }
    appendAll(spec.initContainers, added, { path, patch });
    // After all that goes by the place of the pod's own.
    for (const [at, value] of inFront.entries()) patch.push({ op: "add", path: `${path}/${at}`, value });
    return patch;
  }
}

const MAX_VARIANTS = 100;

/** A patch of the container alone. */
function patchWithin({ container, added, own }: Placed, changes: ContainerChanges): readonly JsonPatchOperation[] {
  const patch: JsonPatchOperation[] = [];
  if (own && !added) updateVariables(container, own.wanted.env, { path: "", patch });
  createContainerEditor(changes, "")(applyPatch(container, patch), patch);
  return patch;
}

const NO_CHANGES: ContainerChanges = { variables: [], mounts: [] };

/** A task's variable must not replace one that our own container works with. */
function changesFor({ wanted, since }: { wanted: OwnContainer; since: number }, edits: readonly PodEdit[]) {
  const changes = containerChanges(edits, since);
  const isOwn = (name: string) => wanted.env.some((own) => own.name === name);
  const variables = changes.variables.filter(({ name }) => !isOwn(name));
  return { variables, mounts: changes.mounts };
}

function place(spec: PodSpec, edits: readonly PodEdit[]): Placed[] {
  const placed: Placed[] = (spec.initContainers ?? []).map((container) => ({ container, added: false, first: false }));
  for (const [since, edit] of edits.entries()) {
    if (edit.kind !== "initContainer") continue;
    const there = findOwn(placed, edit);
    if (there) there.own ??= { wanted: edit.container, since };
    else {
      const wanted = edit.numbered ? { ...edit.container, name: freeName(placed, edit) } : edit.container;
      const { settings } = edit;
      const securityContext = settings && restrictedContext(spec, settings);
      const container = securityContext ? { ...wanted, securityContext } : wanted;
      placed.push({ container, added: true, first: settings?.first ?? false, own: { wanted, since } });
    }
  }
  return placed;
}

function refuseOurName({ containers }: PodSpec, edit: InitContainerEdit): void {
  for (const { name } of containers) if (hasOurName(name, edit)) throw conflict(name);
}

function findOwn(placed: readonly Placed[], edit: InitContainerEdit): Placed | undefined {
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
  const taken = new Set(placed.map((other) => other.container.name));
  let number = placed.length;
  while (taken.has(`${container.name}${number}`)) number++;
  return `${container.name}${number}`;
}

function conflict(name: string): SecretsError {
  return new SecretsError(
    "pod_conflict",
    `container ${quote(name)} has the name of an init container of ours, but another image, command or mount: rename it`,
  );
}
