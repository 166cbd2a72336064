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

/**
 * Writes patches as JSON text. The text of `repeated`, values that stand in many patches as they are, is worked out once, when
 * the first is written.
 */
export function createPatchEncoder(repeated: readonly unknown[]): (patch: readonly JsonPatchOperation[]) => string {
  let texts: Map<unknown, string> | undefined;
  return (patch) => {
    texts ??= new Map(repeated.map((value) => [value, JSON.stringify(value)]));
    let all = "";
    for (const operation of patch) {
      all += `${all === "" ? "" : ","}{"op":"${operation.op}","path":${quote(operation.path)}`;
      if (operation.op !== "remove") all += `,"value":${texts.get(operation.value) ?? JSON.stringify(operation.value)}`;
      all += "}";
    }
    return `[${all}]`;
  };
}

/** Most pointers need no escapes, and looking is quicker than writing them out. */
function quote(pointer: string): string {
  return /^[-\w./~]*$/.test(pointer) ? `"${pointer}"` : JSON.stringify(pointer);
}
