import { type JsonPatchOperation, type SecretSource, SecretsError } from "@flyte-secrets/core";

/** What the guard looks at. */
export interface GuardedPatch {
  readonly patch: readonly JsonPatchOperation[];
  /** The patch as JSON text. */
  readonly text: string;
  /** The secrets of the pod. */
  readonly sources: readonly SecretSource[];
  /** Texts that the patch repeats and that are no secret, such as the pod's own; asked for only if a value was found. */
  readonly known: () => readonly string[];
}

/** Shorter values occur in longer texts by chance: they are only looked for as a whole text. */
const MIN_PART_LENGTH = 8;

/**
 * Refuses a patch that gives a value away. Throws `internal` when a text in it contains a value or its base64, unless that is
 * among what is known anyway. A last line of defence for deliveries that don't put values into pods: only a fault of ours
 * makes it fire.
 */
export function guardPatch({ patch, text, sources, known }: GuardedPatch): void {
  for (const source of sources) {
    if (source.kind !== "value") continue;
    for (const form of [source.value.revealText(), source.value.revealBase64()]) {
      // The JSON text first, since it is there: nearly always that is all.
      if (!form || !text.includes(JSON.stringify(form).slice(1, -1))) continue;
      if (!addedTexts(patch).some((leaf) => contains(leaf, form)) || known().some((one) => one.includes(form)))
        continue;
      throw new SecretsError("internal", `refused to send a patch that contains the value of ${source.label}`);
    }
  }
}

function contains(leaf: string, form: string): boolean {
  return form.length < MIN_PART_LENGTH ? leaf === form : leaf.includes(form);
}

/** Every text in what a patch adds, without the names of fields. */
function addedTexts(patch: readonly JsonPatchOperation[]): string[] {
  return patch.flatMap((operation) => (operation.op === "remove" ? [] : textsOf(operation.value)));
}

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}
