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

/** Operations that put the same values in front of one list after another: many pods, the same few paths. */
export interface FrontAdditions {
  /** One for each value, in order, for the list at `path`; the same objects as long as they are remembered. */
  operationsAt(path: string): readonly JsonPatchOperation[];
  /** The text of a remembered operation. */
  textOf(operation: JsonPatchOperation): string | undefined;
}

/** Containers of a pod whose operations are remembered; a pod rarely has as many. */
const MAX_PATHS = 16;

/** Makes the operations for {@link FrontAdditions}. */
export function createFrontAdditions(values: readonly unknown[]): FrontAdditions {
  const byPath = new Map<string, readonly JsonPatchOperation[]>();
  const texts = new Map<JsonPatchOperation, string>();
  return {
    operationsAt(path) {
      const known = byPath.get(path);
      if (known) return known;
      const operations = values.map((value, at): JsonPatchOperation => ({ op: "add", path: `${path}/${at}`, value }));
      if (byPath.size < MAX_PATHS) {
        byPath.set(path, operations);
        for (const operation of operations) texts.set(operation, JSON.stringify(operation));
      }
      return operations;
    },
    textOf: (operation) => texts.get(operation),
  };
}

/**
 * Writes patches as JSON text; that of `additions`, and of the values that are `repeated` in many patches as they are, is
 * worked out once.
 */
export function createPatchEncoder(
  additions: FrontAdditions,
  repeated: readonly unknown[],
): (patch: readonly JsonPatchOperation[]) => string {
  let texts: Map<unknown, string> | undefined;
  return (patch) => {
    texts ??= new Map(repeated.map((value) => [value, JSON.stringify(value)]));
    let all = "";
    for (const operation of patch) {
      all += all === "" ? "" : ",";
      const text = additions.textOf(operation);
      const value = operation.op === "remove" ? undefined : texts.get(operation.value);
      if (text !== undefined) all += text;
      else if (value === undefined) all += JSON.stringify(operation);
      else all += `{"op":"${operation.op}","path":${JSON.stringify(operation.path)},"value":${value}}`;
    }
    return `[${all}]`;
  };
}
