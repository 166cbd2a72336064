import { fromRequestAnnotations, type Pod, REQUEST_ANNOTATION_PREFIX, type SecretRequest } from "@flyte-secrets/core";

/** How many sets of annotations are remembered, and up to how many characters each: 8 MiB at the most. */
const MAX_SETS = 1_000;
const MAX_LENGTH = 8_192;
/** How many that begin alike. */
const MAX_ALIKE = 16;

type Annotations = Readonly<Record<string, string>>;

/** The annotations of some pod that carry requests, and their requests. */
interface Remembered {
  readonly names: readonly string[];
  readonly values: readonly string[];
  readonly requests: readonly SecretRequest[];
}

/**
 * Reads the requests of pods as {@link fromRequestAnnotations} does. The pods of one task carry the same annotations again and
 * again: the same texts give the same objects, as long as they are remembered.
 */
export function createRequestReader(): (pod: Pod) => readonly SecretRequest[] {
  // By the first value: comparing the others is quicker than making one key of all.
  const remembered = new Map<string, Remembered[]>();
  let count = 0;
  return ({ metadata }) => {
    const annotations = metadata?.annotations ?? {};
    const first = firstValue(annotations);
    if (first === undefined) return [];
    const known = remembered.get(first)?.find((one) => isSame(one, annotations));
    if (known) return known.requests;
    const one = toRemembered(annotations);
    if (lengthOf(one) <= MAX_LENGTH) {
      if (count >= MAX_SETS) {
        remembered.clear();
        count = 0;
      }
      count++;
      remembered.set(first, [one, ...(remembered.get(first) ?? [])].slice(0, MAX_ALIKE));
    }
    return one.requests;
  };
}

function firstValue(annotations: Annotations): string | undefined {
  for (const name in annotations) if (name.startsWith(REQUEST_ANNOTATION_PREFIX)) return annotations[name];
  return undefined;
}

function isSame({ names, values }: Remembered, annotations: Annotations): boolean {
  let at = 0;
  for (const name in annotations) {
    if (!name.startsWith(REQUEST_ANNOTATION_PREFIX)) continue;
    if (name !== names[at] || annotations[name] !== values[at]) return false;
    at++;
  }
  return at === names.length;
}

function toRemembered(annotations: Annotations): Remembered {
  const names = Object.keys(annotations).filter((name) => name.startsWith(REQUEST_ANNOTATION_PREFIX));
  return {
    names,
    values: names.map((name) => annotations[name] ?? ""),
    requests: fromRequestAnnotations(annotations),
  };
}

function lengthOf({ names, values }: Remembered): number {
  return [...names, ...values].reduce((sum, text) => sum + text.length, 0);
}
