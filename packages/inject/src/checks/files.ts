import { excerpt, type SecretRequest, SecretsError } from "@flyte-secrets/core";
import { filePath } from "../delivery/files.ts";
import type { InjectorEdit, SecretSource } from "../managers/injector.ts";
import type { PodEdit } from "../pod/edit.ts";
import { requestName } from "../requests.ts";

/** The edits that a manager makes for a request. */
export interface ManagerEdits<Edit> {
  readonly request: SecretRequest;
  readonly manager: string;
  readonly edits: readonly Edit[];
  /** A path at which a later admission webhook mounts the file. */
  readonly deferredMount?: string;
}

interface Mounted {
  readonly path: string;
  readonly volume: string;
  readonly by: string;
  readonly at: number;
}

/**
 * Checks that the mounts can be in one container. Throws `pod_conflict`, naming both requests, for two volumes at one
 * path, which Kubernetes refuses. Returns a warning for each path below another, at which the container runtime may be
 * unable to mount (I-14).
 */
export function checkSecretMounts(granted: readonly ManagerEdits<PodEdit>[]): string[] {
  const mounted: Mounted[] = [];
  const volumes = new Set<string>();
  const byPath = new Map<string, Mounted>();
  for (const { request, manager, edits, deferredMount } of granted) {
    const mounts = edits.flatMap((edit) =>
      edit.kind === "mount" ? [{ volume: edit.mount.name, path: edit.mount.mountPath }] : [],
    );
    if (deferredMount !== undefined) mounts.push({ volume: `of ${manager}`, path: deferredMount });
    for (const { volume, path } of mounts) {
      if (volumes.has(volume)) continue;
      const by = `${requestName(request)} of ${manager}`;
      const other = byPath.get(path);
      if (other) throw conflict(`secrets ${other.by} and ${by} would both be mounted at ${excerpt(path)}`);
      const one = { path, volume, by, at: mounted.length };
      volumes.add(volume);
      byPath.set(path, one);
      mounted.push(one);
    }
  }
  return nestedPairs(mounted).map((pair) => {
    const [first, second] = inRequestOrder(pair);
    return (
      `secrets ${first.by} and ${second.by} are mounted at ${excerpt(first.path)} and ` +
      `${excerpt(second.path)}, one below the other: containers may not start`
    );
  });
}

interface Written {
  readonly path: string;
  readonly source: string;
  readonly by: string;
  readonly at: number;
}

/**
 * Throws `pod_conflict`, naming both requests, for two different secrets in one file, and for a file where a directory
 * must be.
 */
export function checkSecretFiles(granted: readonly ManagerEdits<InjectorEdit>[]): void {
  const byPath = new Map<string, Written>();
  for (const { request, manager, edits } of granted) {
    for (const file of edits) {
      if (file.kind !== "secretFile") continue;
      const one = {
        path: filePath(file),
        source: sourceKey(file.source),
        by: `${requestName(request)} of ${manager}`,
        at: byPath.size,
      };
      const other = byPath.get(one.path);
      if (other === undefined) byPath.set(one.path, one);
      else if (other.source !== one.source) throw fileConflict([other, one]);
    }
  }
  const [nested] = nestedPairs([...byPath.values()]);
  if (nested) throw fileConflict(inRequestOrder(nested));
}

/** A pair in the order of its requests. */
function inRequestOrder<T extends { readonly at: number }>([outer, inner]: readonly [T, T]): readonly [T, T] {
  return outer.at < inner.at ? [outer, inner] : [inner, outer];
}

/** Identifies a secret: equal for equal secrets. */
export function sourceKey(source: SecretSource): string {
  return source.kind === "value" ? source.label : `${source.reference.name}/${source.reference.key}`;
}

function fileConflict([first, second]: readonly [Written, Written]): SecretsError {
  return conflict(
    `secrets ${first.by} and ${second.by} would be the files ${excerpt(first.path)} and ${excerpt(second.path)}`,
  );
}

function conflict(what: string): SecretsError {
  return new SecretsError(
    "pod_conflict",
    `${what}, which cannot be in one container: ask for one of them in another way`,
  );
}

/** Anything with a path, such as a mount or a file. */
export interface WithPath {
  readonly path: string;
}

/**
 * For each path below another, the pair of the nearest outer and the inner one, in the order of the inner ones. Takes
 * as long as sorting them: only neighbours are compared.
 */
export function nestedPairs<T extends WithPath>(placed: readonly T[]): (readonly [outer: T, inner: T])[] {
  // With the separator sorted before every other character, the paths below a path follow it directly.
  const sorted = placed.map((one, at) => ({ one, at, order: `${one.path.replaceAll("/", "\0")}\0` }));
  sorted.sort((a, b) => (a.order === b.order ? a.at - b.at : a.order < b.order ? -1 : 1));
  const around: typeof sorted = [];
  const pairs: { readonly at: number; readonly pair: readonly [T, T] }[] = [];
  for (const inner of sorted) {
    while (around.length > 0 && !isBelow(inner.order, around.at(-1)?.order ?? "")) around.pop();
    const outer = around.at(-1);
    if (outer) pairs.push({ at: inner.at, pair: [outer.one, inner.one] });
    around.push(inner);
  }
  return pairs.sort((a, b) => a.at - b.at).map(({ pair }) => pair);
}

function isBelow(path: string, directory: string): boolean {
  return path.length > directory.length && path.startsWith(directory);
}
