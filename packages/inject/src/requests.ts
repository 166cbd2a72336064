import {
  ByteBudget,
  excerpt,
  fromRequestAnnotations,
  type PodLimits,
  REQUEST_ANNOTATION_PREFIX,
  type SecretRequest,
} from "@flyte-secrets/core";
import type { Pod } from "./pod/pod.ts";

/** What all remembered sets of annotations may take. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Rough cost of a request, beside its texts, with what others keep for it while it is remembered. */
const REQUEST_BYTES = 1_500;
/** A longer set is not remembered: it is hardly the set of many pods. */
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
export function createRequestReader(limits?: PodLimits): (pod: Pod) => readonly SecretRequest[] {
  // By the first value: comparing the others is quicker than making one key of all.
  const remembered = new Map<string, Remembered[]>();
  const budget = new ByteBudget(MAX_BYTES, () => remembered.clear());
  return ({ metadata }) => {
    const annotations = metadata?.annotations ?? {};
    const first = firstValue(annotations);
    if (first === undefined) return [];
    const known = remembered.get(first)?.find((one) => isSame(one, annotations));
    if (known) return known.requests;
    const one = toRemembered(annotations, limits);
    const length = lengthOf(one);
    if (length <= MAX_LENGTH && budget.admit(2 * length + REQUEST_BYTES * one.requests.length)) {
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

function toRemembered(annotations: Annotations, limits: PodLimits | undefined): Remembered {
  const names = Object.keys(annotations).filter((name) => name.startsWith(REQUEST_ANNOTATION_PREFIX));
  return {
    names,
    values: names.map((name) => annotations[name] ?? ""),
    requests: fromRequestAnnotations(annotations, limits),
  };
}

function lengthOf({ names, values }: Remembered): number {
  return [...names, ...values].reduce((sum, text) => sum + text.length, 0);
}

/** How messages name a request: `[group/key]`, or `[key]`. */
export function requestName({ group, key }: SecretRequest): string {
  return group === "" ? `[${excerpt(key)}]` : `[${excerpt(group)}/${excerpt(key)}]`;
}
