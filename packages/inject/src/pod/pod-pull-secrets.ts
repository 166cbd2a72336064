import type { PodSpec } from "@flyte-secrets/core";
import type { JsonPatchOperation } from "./json-patch.ts";
import type { PodEdit } from "./pod-edit.ts";

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
