import { excerpt, SecretsError } from "@flyte-secrets/core";
import type { SecretSource, ValueSource } from "../managers/injector.ts";
import type { PodEdit } from "../pod/edit.ts";

/** What the guard looks at. */
export interface GuardedEdits {
  /** Of the requests that come to a value: all that a patch says of them comes from here. */
  readonly edits: readonly PodEdit[];
  /** Their secrets. */
  readonly sources: readonly SecretSource[];
  /** Texts that edits repeat and that are no secret, such as what the pod asks for; asked for only if a value was found. */
  readonly known: () => readonly string[];
}

/** Shorter values occur in longer texts by chance: they are only looked for as a whole text. */
const MIN_PART_LENGTH = 8;

/** What these hold are names of Secrets and their keys, which Kubernetes takes for nothing else. */
const REFERENCES = new Set(["valueFrom", "secret", "projected"]);

/**
 * Refuses edits whose patch would give a value away. Throws `internal` when a text in it would contain a value or its base64,
 * unless that is among what is known anyway. A last line of defence for deliveries that don't put values into pods: only a
 * fault of ours makes it fire.
 */
export function guardPatch({ edits, sources, known }: GuardedEdits): void {
  const texts = new Set<string>();
  for (const edit of edits) collectTexts(contentOf(edit), texts);
  // One text to search, in which no value can reach from one part into the next.
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

/** One source for each value: many requests may come to the same. */
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
