import { isDeepStrictEqual } from "node:util";
import { isDeliveredSecretName, quote, SecretsError } from "@flyte-secrets/core";
import type { PodEdit } from "./edit.ts";
import { appendAll, applyPatch, type JsonPatchOperation, type PatchTarget } from "./json-patch.ts";
import type { PodSpec, Volume, VolumeItem } from "./pod.ts";

type VolumeEdit = Extract<PodEdit, { kind: "volume" }>;

/** Adds to `patch` the volumes that a pod lacks. */
export type VolumesEditor = (volumes: PodSpec["volumes"], patch: JsonPatchOperation[]) => void;

/** Adds the volumes of `edits` or, where ours are there already, brings them up to date. */
export function createVolumesEditor(edits: readonly VolumeEdit[]): VolumesEditor {
  const wanted = mergeVolumes(edits);
  const whole: JsonPatchOperation = { op: "add", path: "/spec/volumes", value: wanted };
  const atEnd = wanted.map((volume) => ({
    volume,
    operation: { op: "add", path: "/spec/volumes/-", value: volume } satisfies JsonPatchOperation,
  }));
  return (there, patch) => {
    if (wanted.length === 0) return;
    if (!there) {
      patch.push(whole);
      return;
    }
    const positions = positionsOf(there);
    for (const { volume, operation } of atEnd) {
      const at = positions.get(volume.name) ?? -1;
      const existing = there[at];
      if (existing) updateVolume(existing, volume, { path: `/spec/volumes/${at}`, patch });
      else patch.push(operation);
    }
  };
}

/** The position of the first volume of each name. */
function positionsOf(volumes: readonly Volume[]): ReadonlyMap<string, number> {
  const positions = new Map<string, number>();
  for (const [at, { name }] of volumes.entries()) if (!positions.has(name)) positions.set(name, at);
  return positions;
}

/** Merges the edits of each volume into one, with the result that they would have one after the other. */
function mergeVolumes(edits: readonly VolumeEdit[]): readonly Volume[] {
  const merged = new Map<string, Volume>();
  for (const { volume } of edits) {
    const before = merged.get(volume.name);
    const patch: JsonPatchOperation[] = [];
    if (before) updateVolume(before, volume, { path: "", patch });
    merged.set(volume.name, before ? applyPatch(before, patch) : volume);
  }
  return [...merged.values()];
}

function updateVolume(there: Volume, wanted: Volume, to: PatchTarget): void {
  if (wanted.emptyDir && there.emptyDir?.medium === wanted.emptyDir.medium) return;
  if (wanted.secret && there.secret?.items && there.secret.secretName === wanted.secret.secretName) {
    const missing = missingItems(there.secret.items, wanted.secret.items ?? []);
    appendAll(there.secret.items, missing, { path: `${to.path}/secret/items`, patch: to.patch });
    return;
  }
  if (isDeepStrictEqual(there, wanted)) return;
  if (!isWrittenByUs(there, wanted)) {
    throw new SecretsError(
      "pod_conflict",
      `volume ${quote(there.name)} has the name of a volume that flyte-secrets adds, but another source: rename it`,
    );
  }
  // The values have changed since. The whole volume is ours and holds only names, so it is replaced.
  to.patch.push({ op: "replace", path: to.path, value: wanted });
}

function missingItems(there: readonly VolumeItem[], wanted: readonly VolumeItem[]): VolumeItem[] {
  const known = new Set(there.map(itemText));
  return wanted.filter((item) => !known.has(itemText(item)));
}

function isWrittenByUs(there: Volume, wanted: Volume): boolean {
  const known = new Set(secretNames(wanted));
  const names = secretNames(there);
  return names.length > 0 && names.every((name) => isDeliveredSecretName(name) || known.has(name));
}

function secretNames({ secret, projected }: Volume): string[] {
  const sources = projected?.sources?.map((source) => source.secret?.name ?? "") ?? [];
  return secret ? [secret.secretName ?? "", ...sources] : sources;
}

function itemText({ key, path }: VolumeItem): string {
  return `${key}\0${path}`;
}
