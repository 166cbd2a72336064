/** One operation of an RFC 6902 patch: the three that pod edits need. */
export type JsonPatchOperation =
  | { readonly op: "add"; readonly path: string; readonly value: unknown }
  | { readonly op: "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

/** A place in a document that is being edited, and the patch that its changes go into. */
export interface PatchTarget {
  /** A JSON pointer (RFC 6901). */
  readonly path: string;
  readonly patch: JsonPatchOperation[];
}

/** A member name as one token of a JSON pointer (RFC 6901, section 3): `~` becomes `~0`, `/` becomes `~1`. */
export function escapePointerToken(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The list at `path` with `additions` at its end, one operation each; a list that isn't there is made in one. */
export function appendAll<T>(
  list: readonly T[] | null | undefined,
  additions: readonly T[],
  { path, patch }: PatchTarget,
): readonly T[] | null | undefined {
  if (additions.length === 0) return list;
  if (!list) {
    patch.push({ op: "add", path, value: additions });
    return additions;
  }
  for (const value of additions) patch.push({ op: "add", path: `${path}/-`, value });
  return [...list, ...additions];
}
