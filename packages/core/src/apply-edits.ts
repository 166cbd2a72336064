import { escapePointerToken, type JsonPatchOperation } from "./json-patch.ts";
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

/**
 * Carries out `edits` in their order. The one place that changes pods: every rule about order, replacing and what is there
 * already lives here (see {@link PodEdit}), and pod and patch come out of the same pass. The input is not modified; what
 * doesn't change is shared with the result. Operations are as small as they can be and never repeat a list of the pod's, so
 * that what JavaScript can't represent, such as a large 64-bit number, passes by unread. The same edits applied to the
 * result change nothing. Throws `pod_conflict` naming the thing of the pod that is in the way. With `only`, other containers
 * of the pod than those named are left as they are.
 */
export function applyEdits(pod: Pod, edits: readonly PodEdit[], only?: ReadonlySet<string>): EditedPod {
  const patch: JsonPatchOperation[] = [];
  const metadata = addAnnotations(pod.metadata, edits, patch);
  const volumes = editVolumes(pod.spec.volumes, edits, patch);
  const changes = containerChanges(edits, 0);
  const containers = pod.spec.containers.map((container, index) =>
    only?.has(container.name) === false
      ? container
      : editContainer(container, changes, { path: `/spec/containers/${index}`, patch }),
  );
  const initContainers = editInitContainers(pod.spec, edits, { patch, ...(only && { only }) });
  if (patch.length === 0) return { pod, patch };

  const lists = { containers, ...(initContainers && { initContainers }), ...(volumes && { volumes }) };
  return { pod: { ...pod, ...(metadata && { metadata }), spec: { ...pod.spec, ...lists } }, patch };
}

function addAnnotations(
  metadata: Pod["metadata"],
  edits: readonly PodEdit[],
  patch: JsonPatchOperation[],
): Pod["metadata"] {
  const there = metadata?.annotations ?? {};
  const added = new Map<string, string>();
  for (const edit of edits) {
    if (edit.kind !== "annotation" || Object.hasOwn(there, edit.name) || added.has(edit.name)) continue;
    added.set(edit.name, edit.value);
  }
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
