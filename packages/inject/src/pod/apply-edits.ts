import { checkLimit, DEFAULT_POD_LIMITS, type PodLimits } from "@flyte-secrets/core";
import { type ContainerChanges, type ContainerEditor, containerChanges, createContainerEditor } from "./containers.ts";
import type { PodEdit } from "./edit.ts";
import { createInitContainersEditor } from "./init-containers.ts";
import { applyPatch, escapePointerToken, JsonPatch, type JsonPatchOperation, textLength } from "./json-patch.ts";
import type { Container, Pod, PodMetadata, PodSpec } from "./pod.ts";
import { createVolumesEditor } from "./volumes.ts";

/** Makes the same edits on any number of pods. */
export interface PodEditor {
  /**
   * The RFC 6902 patch that makes the edits: empty when the pod has everything already. With `only`, other containers of the
   * pod than those named are left as they are. Pods that need the same operations get the same patch again and again. Throws
   * `pod_conflict` naming the thing of the pod that is in the way, and `limit_exceeded` for more than the limits allow.
   */
  edit(pod: Pod, only?: ReadonlySet<string>): JsonPatch;
}

/** A pod after its edits, and the operations that made it. */
export interface EditedPod {
  readonly pod: Pod;
  readonly patch: readonly JsonPatchOperation[];
}

/** Carries out `edits` on one pod, as a {@link createPodEditor} does. */
export function applyEdits(pod: Pod, edits: readonly PodEdit[], only?: ReadonlySet<string>): EditedPod {
  const { operations } = createPodEditor(edits).edit(pod, only);
  return { pod: applyPatch(pod, operations), patch: operations };
}

/** Of how many containers the operations are remembered; a pod rarely has more. */
export const REMEMBERED_CONTAINERS = 4;

/**
 * Prepares to carry out `edits` in their order, on any number of pods. The one place that changes pods: every rule about order,
 * replacing and what is there already lives here (see {@link PodEdit}), and the edited pod is by definition what the patch makes
 * of the pod. Operations are as small as they can be and never repeat a list of the pod's, so that what JavaScript can't
 * represent, such as a large 64-bit number, passes by unread. The same edits applied to the result change
 * nothing (I-5, I-6, I-8).
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
    if (index < REMEMBERED_CONTAINERS) containerEditors[index] = made;
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
      if (last.isOf(patch)) return last;
      const made = new JsonPatch(patch);
      checkLimit(limits, "patchBytes", { what: PATCH_BYTES, amount: Buffer.byteLength(made.json) });
      last = made;
      return made;
    },
  };
}

const PATCH_BYTES = "bytes of the pod's patch";

/** Refuses by count what would be too much, before anything is made of it: each container gets everything once more. */
function createSizeCheck(
  edits: readonly PodEdit[],
  { variables, mounts }: ContainerChanges,
  limits: PodLimits,
): (spec: Pod["spec"], only?: ReadonlySet<string>) => void {
  const own = edits.flatMap((edit) => (edit.kind === "initContainer" ? [edit.container.name] : []));
  const ownNames = [...new Set(own)];
  const editsEach = variables.length + mounts.length;
  const bytesEach = textLength(variables) + textLength(mounts);
  const bytesOnce = textLength(edits.filter(({ kind }) => kind !== "env" && kind !== "mount"));
  return ({ containers, initContainers }, only) => {
    const there = initContainers ?? [];
    // A pod that is sent again has them already.
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

/** Adds to `patch` the image-pull Secrets that a pod does not name. */
export type PullSecretsEditor = (there: PodSpec["imagePullSecrets"], patch: JsonPatchOperation[]) => void;

/** Names those of `edits` at the end of the pod's own, sorted by name. */
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
