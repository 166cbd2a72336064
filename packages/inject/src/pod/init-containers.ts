import { quote, SecretsError } from "@flyte-secrets/core";
import {
  type ContainerChanges,
  containerChanges,
  createContainerEditor,
  isSameVariable,
  updateVariables,
  withChanges,
} from "./containers.ts";
import type { OwnContainer, PodEdit } from "./edit.ts";
import { appendAll, type JsonPatchOperation } from "./json-patch.ts";
import type { Container, PodSpec } from "./pod.ts";
import { restrictedContext } from "./restricted-context.ts";

type InitContainerEdit = Extract<PodEdit, { kind: "initContainer" }>;

/**
 * An edit that adds an init container of ours, and the changes that this container gets from the edits that follow it.
 */
interface OwnEdit {
  readonly edit: InitContainerEdit;
  readonly changes: ContainerChanges;
}

/** An init container of the edited pod. */
interface Placed {
  /** As the pod has it, or as it is added; without the changes that containers get. */
  readonly container: Container;
  /** Before or behind the pod's own init containers; undefined when the pod has the container already. */
  readonly added?: "first" | "last";
  /** For an init container of ours, the edit that adds it. */
  own?: OwnEdit;
}

/**
 * Adds to `patch` what the init containers of a pod lack; with `only`, other containers than those named keep theirs.
 */
export type InitContainersEditor = (
  spec: PodSpec,
  patch: JsonPatchOperation[],
  only: ReadonlySet<string> | undefined,
) => void;

/**
 * Adds the init containers of `edits`. The pod's own init containers get the changes of all edits, `forAll`; one of
 * ours gets those of the edits that follow the one that adds it.
 */
export function createInitContainersEditor(edits: readonly PodEdit[], forAll: ContainerChanges): InitContainersEditor {
  const ownEdits = edits.flatMap((edit, at) =>
    edit.kind === "initContainer" ? [{ edit, changes: ownChanges(edit, containerChanges(edits, at)) }] : [],
  );
  /** The patches of pods without init containers, by the security contexts that these pods call for. */
  const cached = new Map<string, readonly JsonPatchOperation[]>();

  return (spec, patch, only) => {
    for (const { edit } of ownEdits) refuseOurName(spec, edit);
    if (spec.initContainers || only) {
      patch.push(...makePatch(spec, only));
    } else if (ownEdits.length > 0) {
      const key = JSON.stringify(ownEdits.map(({ edit }) => securityContextOf(spec, edit)));
      const operations = cached.get(key) ?? makePatch(spec, only);
      // A pod chooses the user number in its context, so the number of keys has to be bounded.
      if (cached.size < MAX_CACHED) cached.set(key, operations);
      patch.push(...operations);
    }
  };

  function makePatch(spec: PodSpec, only: ReadonlySet<string> | undefined): readonly JsonPatchOperation[] {
    const path = "/spec/initContainers";
    const patch: JsonPatchOperation[] = [];
    const first: Container[] = [];
    const last: Container[] = [];
    for (const [index, { container, added, own }] of place(spec, ownEdits).entries()) {
      const changes = only?.has(container.name) === false ? NO_CHANGES : (own?.changes ?? forAll);
      if (added) {
        (added === "first" ? first : last).push(withChanges(container, changes));
      } else {
        const at = `${path}/${index}`;
        const current = own ? updateVariables(container, own.edit.container.env, { path: at, patch }) : container;
        createContainerEditor(changes, at)(current, patch);
      }
    }
    if (!spec.initContainers || spec.initContainers.length === 0) {
      appendAll(spec.initContainers, [...first, ...last], { path, patch });
      return patch;
    }
    appendAll(spec.initContainers, last, { path, patch });
    // These come after every operation on the pod's own init containers, whose positions they move.
    for (const [at, value] of first.entries()) patch.push({ op: "add", path: `${path}/${at}`, value });
    return patch;
  }
}

const MAX_CACHED = 100;

const NO_CHANGES: ContainerChanges = { variables: [], mounts: [] };

/** Leaves out the variables with which our own container works: a task's variable must not replace one. */
function ownChanges({ container }: InitContainerEdit, { variables, mounts }: ContainerChanges): ContainerChanges {
  const ownNames = new Set(container.env.map(({ name }) => name));
  return { variables: variables.filter(({ name }) => !ownNames.has(name)), mounts };
}

/** The init containers of the pod, in which ours are recognised, followed by those that it lacks. */
function place(spec: PodSpec, ownEdits: readonly OwnEdit[]): Placed[] {
  const placed: Placed[] = (spec.initContainers ?? []).map((container) => ({ container }));
  for (const own of ownEdits) {
    const { edit } = own;
    const there = findOwn(placed, edit);
    if (there) there.own ??= own;
    else {
      const name = edit.numbered ? freeName(placed, edit) : edit.container.name;
      const securityContext = securityContextOf(spec, edit);
      const container = { ...edit.container, name, ...(securityContext && { securityContext }) };
      placed.push({ container, added: edit.settings?.first ? "first" : "last", own });
    }
  }
  return placed;
}

function securityContextOf(spec: PodSpec, { settings }: InitContainerEdit) {
  return settings && restrictedContext(spec, settings);
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
    `container ${quote(name)} has the name of an init container that flyte-secrets adds, but another image, ` +
      "command or mount: rename it",
  );
}
