import { isDeepStrictEqual } from "node:util";
import { isWrittenSecretName } from "./delivery.ts";
import { SecretsError } from "./errors.ts";
import { appendAll, type JsonPatchOperation, type PatchTarget } from "./json-patch.ts";
import type { PodSpec, Volume, VolumeItem } from "./pod.ts";
import type { PodEdit } from "./pod-edit.ts";

/** The volumes of a pod with those of `edits` added or, where ours are there already, brought up to date. */
export function editVolumes(
  there: PodSpec["volumes"],
  edits: readonly Extract<PodEdit, { kind: "volume" }>[],
  patch: JsonPatchOperation[],
): PodSpec["volumes"] {
  let volumes = there;
  for (const edit of edits) {
    const at = volumes?.findIndex(({ name }) => name === edit.volume.name) ?? -1;
    const existing = volumes?.[at];
    if (!existing) volumes = appendAll(volumes, [edit.volume], { path: "/spec/volumes", patch });
    else {
      const updated = updateVolume(existing, edit.volume, { path: `/spec/volumes/${at}`, patch });
      if (updated !== existing) volumes = volumes?.with(at, updated);
    }
  }
  return volumes;
}

function updateVolume(there: Volume, wanted: Volume, to: PatchTarget): Volume {
  if (wanted.emptyDir && there.emptyDir?.medium === wanted.emptyDir.medium) return there;
  if (wanted.secret && there.secret?.items && there.secret.secretName === wanted.secret.secretName) {
    const items = appendAll(there.secret.items, missingItems(there.secret.items, wanted.secret.items ?? []), {
      path: `${to.path}/secret/items`,
      patch: to.patch,
    });
    return items === there.secret.items ? there : { ...there, secret: { ...there.secret, items: items ?? [] } };
  }
  if (isDeepStrictEqual(there, wanted)) return there;
  if (!isWrittenByUs(there, wanted)) {
    throw new SecretsError(
      "pod_conflict",
      `volume "${there.name}" has the name of a volume of ours, but another source: rename it`,
    );
  }
  // The values have changed since: the whole volume is ours, and it holds names only.
  to.patch.push({ op: "replace", path: to.path, value: wanted });
  return wanted;
}

function missingItems(there: readonly VolumeItem[], wanted: readonly VolumeItem[]): VolumeItem[] {
  return wanted.filter((item) => !there.some(({ key, path }) => key === item.key && path === item.path));
}

function isWrittenByUs(there: Volume, wanted: Volume): boolean {
  const known = secretNames(wanted);
  const names = secretNames(there);
  return names.length > 0 && names.every((name) => isWrittenSecretName(name) || known.includes(name));
}

function secretNames({ secret, projected }: Volume): string[] {
  const sources = projected?.sources?.map((source) => source.secret?.name ?? "") ?? [];
  return secret ? [secret.secretName ?? "", ...sources] : sources;
}
