import { excerpt, SecretsError } from "@flyte-secrets/core";
import type { SecretSource, ValueSource } from "../managers/injector.ts";
import type { PodEdit } from "../pod/edit.ts";

/** The input of {@link guardPatch}. */
export interface GuardedEdits {
  /** The edits of the requests that have a value. */
  readonly edits: readonly PodEdit[];
  /** The secrets of these requests. */
  readonly sources: readonly SecretSource[];
  /** Public texts that edits repeat, such as the pod's requests. Called only if a value was found in the edits. */
  readonly known: () => readonly string[];
}

/** Shorter values occur in longer texts by chance, so they are compared with whole texts only. */
const MIN_PART_LENGTH = 8;

/** Members whose texts are names and keys of Secrets and cannot be anything else. */
const REFERENCES = new Set(["valueFrom", "secret", "projected"]);

/**
 * Refuses edits whose patch would reveal a value. Throws `internal` when a text of them contains a value or its base64,
 * unless the `known` texts contain it too. It is the last line of defence of deliveries that don't put values into
 * pods, and only a bug of flyte-secrets can trigger it.
 */
export function guardPatch({ edits, sources, known }: GuardedEdits): void {
  const texts = new Set<string>();
  for (const edit of edits) collectTexts(contentOf(edit), texts);
  // One text to search; the separator keeps a value from matching across two of them.
  const all = [...texts].join("\0");
  let knownTexts: readonly string[] | undefined;
  for (const source of distinctValues(sources)) {
    for (const form of [source.value.revealText(), source.value.revealBase64()]) {
      if (!form || !(form.length < MIN_PART_LENGTH ? texts.has(form) : all.includes(form))) continue;
      knownTexts ??= known();
      if (knownTexts.some((text) => text.includes(form))) continue;
      throw new SecretsError("internal", `refused to send a patch that contains the value of ${excerpt(source.label)}`);
    }
  }
}

/** One source for each value, because several requests may have the same. */
function distinctValues(sources: readonly SecretSource[]): Iterable<ValueSource> {
  const values = sources.filter((source) => source.kind === "value");
  return new Map(values.map((source) => [source.value, source])).values();
}

function contentOf(edit: PodEdit): unknown {
  switch (edit.kind) {
    case "env":
      return edit.variable;
    case "mount":
      return edit.mount;
    case "volume":
      return edit.volume;
    case "initContainer":
      return edit.container;
    case "annotation":
      return edit.value;
    case "imagePullSecret":
      return edit.name;
  }
}

function collectTexts(value: unknown, texts: Set<string>): void {
  if (typeof value === "string") texts.add(value);
  if (typeof value !== "object" || value === null) return;
  for (const [field, part] of Object.entries(value)) if (!REFERENCES.has(field)) collectTexts(part, texts);
}
