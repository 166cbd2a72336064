/** An operation of an RFC 6902 patch, of the three kinds that pod edits need. */
export type JsonPatchOperation =
  | { readonly op: "add"; readonly path: string; readonly value: unknown }
  | { readonly op: "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

/** A place in a document, and the patch to which its changes are added. */
export interface PatchTarget {
  /** A JSON pointer (RFC 6901). */
  readonly path: string;
  readonly patch: JsonPatchOperation[];
}

/** Longer texts are not cached: patches that many pods share are short. */
const MAX_KEPT_LENGTH = 32_768;

/** A patch, with its JSON and base64 texts, which are made on first use and cached if they are short. */
export class JsonPatch {
  readonly operations: readonly JsonPatchOperation[];
  #json: string | undefined;
  #base64: string | undefined;

  constructor(operations: readonly JsonPatchOperation[]) {
    this.operations = operations;
  }

  get json(): string {
    if (this.#json !== undefined) return this.#json;
    const json = JSON.stringify(this.operations);
    if (json.length <= MAX_KEPT_LENGTH) this.#json = json;
    return json;
  }

  /** The JSON text in UTF-8, as base64. */
  get base64(): string {
    if (this.#base64 !== undefined) return this.#base64;
    const base64 = Buffer.from(this.json).toString("base64");
    if (base64.length <= MAX_KEPT_LENGTH) {
      this.#base64 = base64;
      // No caller needs both texts.
      this.#json = undefined;
    }
    return base64;
  }

  /** Whether the patch consists of these operation objects. Compares identity, not content. */
  hasOperations(operations: readonly JsonPatchOperation[]): boolean {
    const own = this.operations;
    return own.length === operations.length && own.every((operation, at) => operation === operations[at]);
  }
}

/** The number of characters of all strings and names in a JSON value: a lower bound of the bytes of its JSON text. */
export function countCharacters(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  let length = 0;
  for (const [name, part] of Object.entries(value)) length += name.length + countCharacters(part);
  return length;
}

/** A member name as one token of a JSON pointer (RFC 6901, section 3): `~` becomes `~0`, `/` becomes `~1`. */
export function escapePointerToken(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Appends `additions` to the list at `path`, in one operation each, or in a single one where there is no list yet. */
export function appendAll(
  list: readonly unknown[] | null | undefined,
  additions: readonly unknown[],
  { path, patch }: PatchTarget,
): void {
  if (additions.length === 0) return;
  if (list) for (const value of additions) patch.push({ op: "add", path: `${path}/-`, value });
  else patch.push({ op: "add", path, value: additions });
}

/**
 * Applies the operations in their order and returns the result. `document` is not modified, and unchanged parts are
 * shared with it. The paths are not checked: the operations must have been made for the document.
 */
export function applyPatch<T>(document: T, operations: readonly JsonPatchOperation[]): T {
  let changed: unknown = document;
  for (const operation of operations) {
    const tokens = operation.path.split("/").slice(1);
    changed = applyAt(changed, tokens.map(unescapePointerToken), operation);
  }
  // A patch of a pod makes a pod.
  return changed as T;
}

function unescapePointerToken(token: string): string {
  return token.replaceAll("~1", "/").replaceAll("~0", "~");
}

function applyAt(target: unknown, [token, ...rest]: readonly string[], operation: JsonPatchOperation): unknown {
  const value = operation.op === "remove" ? undefined : operation.value;
  if (token === undefined) return value;
  if (!Array.isArray(target)) {
    const members: Readonly<Record<string, unknown>> = Object(target);
    if (rest.length === 0 && operation.op === "remove") {
      const { [token]: _, ...others } = members;
      return others;
    }
    return { ...members, [token]: applyAt(members[token], rest, operation) };
  }
  const at = token === "-" ? target.length : Number(token);
  if (rest.length > 0) return target.with(at, applyAt(target[at], rest, operation));
  if (operation.op === "remove") return target.toSpliced(at, 1);
  return operation.op === "add" ? target.toSpliced(at, 0, value) : target.with(at, value);
}
