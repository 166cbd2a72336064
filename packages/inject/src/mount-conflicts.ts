import {
  type InjectorEdit,
  type PodEdit,
  type SecretRequest,
  type SecretSource,
  SecretsError,
} from "@flyte-secrets/core";
import { requestName } from "./request-name.ts";
import { filePath } from "./secret-files.ts";

/** What a request puts into containers, by which manager. */
export interface Granted<Edit> {
  readonly request: SecretRequest;
  readonly manager: string;
  readonly edits: readonly Edit[];
  /** A path that a later admission step will mount for it. */
  readonly mountedLater?: string;
}

interface Mounted {
  readonly path: string;
  readonly volume: string;
  readonly by: string;
}

/**
 * Looks for mounts that can't be in one container. Throws `pod_conflict`, naming both requests, for two volumes at one path,
 * which Kubernetes refuses; returns a warning for each path below another, which the container runtime may not be able to make.
 */
export function checkMounts(granted: readonly Granted<PodEdit>[]): string[] {
  const mounted: Mounted[] = [];
  const warnings: string[] = [];
  for (const { request, manager, edits, mountedLater } of granted) {
    const by = `${requestName(request)} of ${manager}`;
    const mounts = edits.flatMap((edit) =>
      edit.kind === "mount" ? [{ volume: edit.mount.name, path: edit.mount.mountPath }] : [],
    );
    if (mountedLater !== undefined) mounts.push({ volume: `of ${manager}`, path: mountedLater });
    for (const { volume, path } of mounts) {
      if (mounted.some((other) => other.volume === volume)) continue;
      for (const other of mounted) {
        const both = `secrets ${other.by} and ${by}`;
        if (other.path === path) throw conflict(`${both} would both be mounted at ${path}`);
        if (isBelow(path, other.path) || isBelow(other.path, path)) {
          warnings.push(
            `${both} are mounted at ${other.path} and ${path}, one below the other: containers may not start`,
          );
        }
      }
      mounted.push({ path, volume, by });
    }
  }
  return warnings;
}

/** Throws `pod_conflict`, naming both requests, for two different secrets in one file, and for a file where a directory must be. */
export function checkFiles(granted: readonly Granted<InjectorEdit>[]): void {
  const files: { path: string; source: string; by: string }[] = [];
  for (const { request, manager, edits } of granted) {
    for (const file of edits.filter((edit) => edit.kind === "secretFile")) {
      const [path, source] = [filePath(file), sourceName(file.source)];
      const by = `${requestName(request)} of ${manager}`;
      for (const other of files) {
        const same = other.path === path && other.source !== source;
        if (same || isBelow(path, other.path) || isBelow(other.path, path)) {
          throw conflict(`secrets ${other.by} and ${by} would be the files ${other.path} and ${path}`);
        }
      }
      files.push({ path, source, by });
    }
  }
}

function sourceName(source: SecretSource): string {
  return source.kind === "value" ? source.label : `${source.reference.name}/${source.reference.key}`;
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`);
}

function conflict(what: string): SecretsError {
  return new SecretsError(
    "pod_conflict",
    `${what}, which cannot be in one container: ask for one of them in another way`,
  );
}
