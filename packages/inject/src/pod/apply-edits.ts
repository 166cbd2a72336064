import { checkLimit, DEFAULT_POD_LIMITS, type PodLimits } from "@flyte-secrets/core";
import { type ContainerChanges, type ContainerEditor, containerChanges, createContainerEditor } from "./containers.ts";
import type { PodEdit } from "./edit.ts";
import { createInitContainersEditor } from "./init-containers.ts";
import { applyPatch, countCharacters, escapePointerToken, JsonPatch, type JsonPatchOperation } from "./json-patch.ts";
import type { Container, Pod, PodMetadata, PodSpec } from "./pod.ts";
import { createVolumesEditor } from "./volumes.ts";

/** Applies one list of edits to any number of pods. */
export interface PodEditor {
  /**
   * The RFC 6902 patch that makes the edits; empty when the pod has everything already. With `only`, no other
   * containers than those named are edited. Consecutive pods that need the same operations get the same patch object.
   * Throws `pod_conflict`, naming the conflicting part of the pod, and `limit_exceeded` for a patch over the limits.
   */
  edit(pod: Pod, only?: ReadonlySet<string>): JsonPatch;
}

/** An edited pod, and the operations that make it of the original. */
export interface EditedPod {
  readonly pod: Pod;
  readonly patch: readonly JsonPatchOperation[];
}

/** Applies `edits` to one pod, by the rules of {@link createPodEditor}. */
export function applyEdits(pod: Pod, edits: readonly PodEdit[], only?: ReadonlySet<string>): EditedPod {
  const { operations } = createPodEditor(edits).edit(pod, only);
  return { pod: applyPatch(pod, operations), patch: operations };
}

/** The number of containers whose operations are cached; a pod rarely has more. */
export const CACHED_CONTAINERS = 4;

/**
 * Prepares `edits`, which are applied in their order, for any number of pods. Only this module and its neighbours edit
 * pods: all rules about order, replacement and existing parts are here (see {@link PodEdit}). The edited pod is by
 * definition the result of the patch. Operations never repeat a list of the pod's, so values that JavaScript can't
 * represent, such as a large 64-bit number, are not touched. The edits are idempotent (I-5, I-6, I-8).
 */
export function createPodEditor(edits: readonly PodEdit[], limits: PodLimits = DEFAULT_POD_LIMITS): PodEditor {
  const forAll = containerChanges(edits, 0);
  const annotations = edits.filter((edit) => edit.kind === "annotation");
  const editVolumes = createVolumesEditor(edits.filter((edit) => edit.kind === "volume"));
  const editPullSecrets = createPullSecretsEditor(edits.filter((edit) => edit.kind === "imagePullSecret"));
  const editInitContainers = createInitContainersEditor(edits, forAll);
  const containerEditors: ContainerEditor[] = [];
  const containerEditorAt = (index: number) => {
    const known = containerEditors[index];
    if (known) return known;
    const made = createContainerEditor(forAll, `/spec/containers/${index}`);
    if (index < CACHED_CONTAINERS) containerEditors[index] = made;
    return made;
  };
  const checkSize = createSizeCheck(edits, forAll, limits);
  let last = new JsonPatch([]);
  return {
    edit(pod, only) {
      checkSize(pod.spec, only);
      const patch: JsonPatchOperation[] = [];
      addAnnotations(pod.metadata, annotations, patch);
      editVolumes(pod.spec.volumes, patch);
      editPullSecrets(pod.spec.imagePullSecrets, patch);
      const { containers } = pod.spec;
      for (let index = 0; index < containers.length; index++) {
        const container = containers[index];
        if (container && only?.has(container.name) !== false) containerEditorAt(index)(container, patch);
      }
      editInitContainers(pod.spec, patch, only);
      if (last.hasOperations(patch)) return last;
      const made = new JsonPatch(patch);
      checkLimit(limits, "patchBytes", { what: PATCH_BYTES, amount: Buffer.byteLength(made.json) });
      last = made;
      return made;
    },
  };
}

const PATCH_BYTES = "bytes of the pod's patch";

/**
 * Refuses a pod by the number of its containers, each of which gets all variables and mounts, before a patch is made.
 */
function createSizeCheck(
  edits: readonly PodEdit[],
  { variables, mounts }: ContainerChanges,
  limits: PodLimits,
): (spec: Pod["spec"], only?: ReadonlySet<string>) => void {
  const own = edits.flatMap((edit) => (edit.kind === "initContainer" ? [edit.container.name] : []));
  const ownNames = [...new Set(own)];
  const editsEach = variables.length + mounts.length;
  const bytesEach = countCharacters(variables) + countCharacters(mounts);
  const bytesOnce = countCharacters(edits.filter(({ kind }) => kind !== "env" && kind !== "mount"));
  return ({ containers, initContainers }, only) => {
    const there = initContainers ?? [];
    // A pod that was admitted before has our containers already.
    const present =
      ownNames.length === 0 ? 0 : there.filter((one) => ownNames.some((name) => one.name.startsWith(name))).length;
    const count = countOf(containers, only) + countOf(there, only) + Math.max(0, own.length - present);
    checkLimit(limits, "edits", { what: "variables and mounts in the pod's containers", amount: count * editsEach });
    checkLimit(limits, "patchBytes", { what: PATCH_BYTES, amount: count * bytesEach + bytesOnce });
  };
}

function countOf(containers: readonly Container[], only: ReadonlySet<string> | undefined): number {
  return only === undefined ? containers.length : containers.filter(({ name }) => only.has(name)).length;
}

function addAnnotations(
  metadata: Pod["metadata"],
  edits: readonly Extract<PodEdit, { kind: "annotation" }>[],
  patch: JsonPatchOperation[],
): void {
  if (edits.length === 0) return;
  const there = metadata?.annotations ?? {};
  const added = new Map<string, string>();
  for (const { name, value } of edits) if (!Object.hasOwn(there, name) && !added.has(name)) added.set(name, value);
  if (added.size === 0) return;

  const annotations = Object.fromEntries(added);
  if (!metadata) patch.push({ op: "add", path: "/metadata", value: { annotations } satisfies PodMetadata });
  else if (!metadata.annotations) patch.push({ op: "add", path: "/metadata/annotations", value: annotations });
  else {
    for (const [name, value] of added) {
      patch.push({ op: "add", path: `/metadata/annotations/${escapePointerToken(name)}`, value });
    }
  }
}

/** Adds to `patch` the image-pull Secrets that a pod lacks. */
export type PullSecretsEditor = (there: PodSpec["imagePullSecrets"], patch: JsonPatchOperation[]) => void;

/** Appends the Secrets of `edits` to the pod's own, sorted by name. */
export function createPullSecretsEditor(
  edits: readonly Extract<PodEdit, { kind: "imagePullSecret" }>[],
): PullSecretsEditor {
  const wanted = [...new Set(edits.map(({ name }) => name))].sort().map((name) => ({ name }));
  const whole: JsonPatchOperation = { op: "add", path: "/spec/imagePullSecrets", value: wanted };
  const atEnd = wanted.map((value): JsonPatchOperation & { value: { name: string } } => ({
    op: "add",
    path: "/spec/imagePullSecrets/-",
    value,
  }));
  return (there, patch) => {
    if (wanted.length === 0) return;
    if (!there) {
      patch.push(whole);
      return;
    }
    const known = new Set(there.map(({ name }) => name));
    for (const operation of atEnd) if (!known.has(operation.value.name)) patch.push(operation);
  };
}
