import type { SecretRequest } from "@flyte-secrets/core";
import { excerpt, quote } from "@flyte-secrets/core";
import { filePath } from "../delivery/files.ts";
import type { InjectorEdit } from "../managers/injector.ts";
import { type Injection, SECRETS_DIRECTORY } from "../managers/injector.ts";
import { cleanJoinPath } from "../pod/clean-join-path.ts";
import type { PodEdit } from "../pod/edit.ts";
import type { Pod, VolumeMount } from "../pod/pod.ts";
import { requestName } from "../requests.ts";

/** A secret's file: its path, and the request that it serves. */
export interface PlacedFile {
  readonly path: string;
  readonly by: string;
}

/** What the injections place below the secrets directory of any pod. */
export interface PlacedSecrets {
  readonly files: readonly PlacedFile[];
  /** The volumes that contain them, which aren't the pod's own. */
  readonly volumes: ReadonlySet<string>;
}

interface ManagerEdits extends Pick<Extract<Injection, { injected: true }>, "deferredRead"> {
  readonly request: SecretRequest;
  readonly manager: string;
  readonly edits: readonly InjectorEdit[];
}

/** The files of secrets, including those that an init container writes. */
export function listPlacedFiles(granted: readonly ManagerEdits[]): PlacedFile[] {
  return granted.flatMap(({ request, manager, edits, deferredRead }) => {
    const by = `${requestName(request)} of ${manager}`;
    const written = edits.flatMap((edit) =>
      edit.kind === "secretFile" ? [{ path: `${SECRETS_DIRECTORY}/${filePath(edit)}`, by }] : [],
    );
    return deferredRead ? [...written, { path: deferredRead.file, by }] : written;
  });
}

/** The input of {@link findCoveringMounts} that is the same for all pods. */
export function toPlacedSecrets(files: readonly PlacedFile[], edits: readonly PodEdit[]): PlacedSecrets {
  return { files, volumes: new Set(edits.flatMap((edit) => (edit.kind === "volume" ? [edit.volume.name] : []))) };
}

/**
 * Warnings, at most `max`, about the pod's own mounts in the secrets directory. A mount over a secret's file hides the
 * file or prevents its container from starting. So may a mount beside it, because secrets are mounted read-only. With
 * more, the last warning has the number of those left out.
 */
export function findCoveringMounts(
  pod: Pod,
  named: ReadonlySet<string> | undefined,
  to: PlacedSecrets & { max: number },
) {
  if (to.files.length === 0 || to.max <= 0) return [];
  const found: { readonly container: string; readonly mount: VolumeMount; readonly path: string }[] = [];
  for (const { name: container, volumeMounts } of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    if (!volumeMounts || (named !== undefined && !named.has(container))) continue;
    for (const mount of volumeMounts) {
      if (to.volumes.has(mount.name)) continue;
      const path = cleanJoinPath("/", mount.mountPath);
      if (path.startsWith(`${SECRETS_DIRECTORY}/`)) found.push({ container, mount, path });
    }
  }
  const shown = found.length <= to.max ? found : found.slice(0, to.max - 1);
  const texts = shown.map(({ container, mount, path }) => {
    const covered = to.files.find((file) => file.path === path || file.path.startsWith(`${path}/`));
    const where = `container ${quote(container)} mounts volume ${quote(mount.name)} at ${excerpt(path)}`;
    return covered
      ? `${where}, over the file of secret ${covered.by}: it reads something else there, or can't start; mount ` +
          "it elsewhere"
      : `${where}, among the files of secrets, which are mounted read-only: it may not start; mount it elsewhere`;
  });
  const rest = found.length - shown.length;
  return rest === 0 ? texts : [...texts, `${rest} more warnings are left out (webhook.limits.warnings)`];
}

/**
 * Warnings about files whose paths differ only by case: flytekit (v1) reads the file in lower case, whatever the
 * request says.
 */
export function findCaseConflicts(files: readonly PlacedFile[]): string[] {
  const byLowerCase = new Map<string, PlacedFile>();
  return files.flatMap((one) => {
    const lower = one.path.toLowerCase();
    const other = byLowerCase.get(lower);
    if (other === undefined) byLowerCase.set(lower, one);
    if (other === undefined || other.path === one.path) return [];
    return [
      `secrets ${other.by} and ${one.by} are the files ${excerpt(other.path)} and ${excerpt(one.path)}, which ` +
        "differ only by case: " +
        "flytekit 1 reads the one in lower case for both; rename one",
    ];
  });
}
