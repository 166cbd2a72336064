import { createPatchEncoder, escapePointerToken, type JsonPatchOperation } from "./json-patch.ts";
import type { Pod, PodMetadata } from "./pod.ts";
import { containerChanges, editContainer } from "./pod-container-edit.ts";
import type { PodEdit } from "./pod-edit.ts";
import { editInitContainers } from "./pod-init-containers.ts";
import { editVolumes } from "./pod-volumes.ts";

/** A pod after its edits, and the RFC 6902 patch that makes it out of the pod before. */
export interface EditedPod {
  readonly pod: Pod;
  /** Empty when the pod had everything already. */
  readonly patch: readonly JsonPatchOperation[];
}

/** Makes the same edits on any number of pods. */
export interface PodEditor {
  /** With `only`, other containers of the pod than those named are left as they are. */
  edit(pod: Pod, only?: ReadonlySet<string>): EditedPod;
  /** A patch of this editor's as JSON text. */
  encodePatch(patch: EditedPod["patch"]): string;
}

/** Carries out `edits` on one pod, as a {@link createPodEditor} does. */
export function applyEdits(pod: Pod, edits: readonly PodEdit[], only?: ReadonlySet<string>): EditedPod {
  return createPodEditor(edits).edit(pod, only);
}

/**
 * Prepares to carry out `edits` in their order, on any number of pods. The one place that changes pods: every rule about order,
 * replacing and what is there already lives here (see {@link PodEdit}), and pod and patch come out of the same pass. The input
 * is not modified; what doesn't change is shared with the result. Operations are as small as they can be and never repeat a
 * list of the pod's, so that what JavaScript can't represent, such as a large 64-bit number, passes by unread. The same edits
 * applied to the result change nothing. Throws `pod_conflict` naming the thing of the pod that is in the way.
 */
export function createPodEditor(edits: readonly PodEdit[]): PodEditor {
  const forAll = containerChanges(edits, 0);
  const annotations = edits.filter((edit) => edit.kind === "annotation");
  const volumeEdits = edits.filter((edit) => edit.kind === "volume");
  return {
    edit(pod, only) {
      const patch: JsonPatchOperation[] = [];
      const metadata = addAnnotations(pod.metadata, annotations, patch);
      const volumes = editVolumes(pod.spec.volumes, volumeEdits, patch);
      const containers = pod.spec.containers.map((container, index) =>
        only?.has(container.name) === false
          ? container
          : editContainer(container, forAll, { path: `/spec/containers/${index}`, patch }),
      );
      const initContainers = editInitContainers(pod.spec, edits, { patch, forAll, only });
      if (patch.length === 0) return { pod, patch };

      const lists = { containers, ...(initContainers && { initContainers }), ...(volumes && { volumes }) };
      return { pod: { ...pod, ...(metadata && { metadata }), spec: { ...pod.spec, ...lists } }, patch };
    },
    encodePatch: createPatchEncoder(forAll.additions, [
      forAll.variables,
      ...forAll.mounts,
      ...volumeEdits.map(({ volume }) => volume),
    ]),
  };
}

function addAnnotations(
  metadata: Pod["metadata"],
  edits: readonly Extract<PodEdit, { kind: "annotation" }>[],
  patch: JsonPatchOperation[],
): Pod["metadata"] {
  if (edits.length === 0) return metadata;
  const there = metadata?.annotations ?? {};
  const added = new Map<string, string>();
  for (const { name, value } of edits) if (!Object.hasOwn(there, name) && !added.has(name)) added.set(name, value);
  if (added.size === 0) return metadata;

  const annotations = { ...there, ...Object.fromEntries(added) };
  const changed: PodMetadata = { ...metadata, annotations };
  if (!metadata) patch.push({ op: "add", path: "/metadata", value: changed });
  else if (!metadata.annotations) patch.push({ op: "add", path: "/metadata/annotations", value: annotations });
  else {
    for (const [name, value] of added) {
      patch.push({ op: "add", path: `/metadata/annotations/${escapePointerToken(name)}`, value });
    }
  }
  return changed;
}
