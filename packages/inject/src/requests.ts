import {
  ByteBudget,
  excerpt,
  fromRequestAnnotations,
  type PodLimits,
  REQUEST_ANNOTATION_PREFIX,
  type SecretRequest,
} from "@flyte-secrets/core";
import type { Pod } from "./pod/pod.ts";

/** The memory limit of the cache. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Rough cost of a cached request beside its texts, including what other caches keep for it. */
const REQUEST_BYTES = 1_500;
/** A longer set of annotations is not cached: few pods share it. */
const MAX_LENGTH = 8_192;
/** The number of cached sets with the same first value. */
const MAX_ALIKE = 16;

type Annotations = Readonly<Record<string, string>>;

/** The request annotations of a pod, and the requests in them. */
interface CachedRequests {
  readonly names: readonly string[];
  readonly values: readonly string[];
  readonly requests: readonly SecretRequest[];
}

/**
 * Creates a reader of pods' requests, with the rules of {@link fromRequestAnnotations} and a cache: many pods of one
 * task have the same annotations, and equal annotations give the same request objects while they are cached.
 */
export function createRequestReader(limits?: PodLimits): (pod: Pod) => readonly SecretRequest[] {
  // By the first value: comparing the others is faster than building one key of all.
  const cached = new Map<string, CachedRequests[]>();
  const budget = new ByteBudget(MAX_BYTES, () => cached.clear());
  return ({ metadata }) => {
    const annotations = metadata?.annotations ?? {};
    const first = firstValue(annotations);
    if (first === undefined) return [];
    const known = cached.get(first)?.find((one) => isSame(one, annotations));
    if (known) return known.requests;
    const one = parseRequests(annotations, limits);
    const length = lengthOf(one);
    if (length <= MAX_LENGTH && budget.admit(2 * length + REQUEST_BYTES * one.requests.length)) {
      cached.set(first, [one, ...(cached.get(first) ?? [])].slice(0, MAX_ALIKE));
    }
    return one.requests;
  };
}

function firstValue(annotations: Annotations): string | undefined {
  for (const name in annotations) if (name.startsWith(REQUEST_ANNOTATION_PREFIX)) return annotations[name];
  return undefined;
}

function isSame({ names, values }: CachedRequests, annotations: Annotations): boolean {
  let at = 0;
  for (const name in annotations) {
    if (!name.startsWith(REQUEST_ANNOTATION_PREFIX)) continue;
    if (name !== names[at] || annotations[name] !== values[at]) return false;
    at++;
  }
  return at === names.length;
}

function parseRequests(annotations: Annotations, limits: PodLimits | undefined): CachedRequests {
  const names = Object.keys(annotations).filter((name) => name.startsWith(REQUEST_ANNOTATION_PREFIX));
  return {
    names,
    values: names.map((name) => annotations[name] ?? ""),
    requests: fromRequestAnnotations(annotations, limits),
  };
}

function lengthOf({ names, values }: CachedRequests): number {
  return [...names, ...values].reduce((sum, text) => sum + text.length, 0);
}

/** A request's name in messages: `[group/key]`, or `[key]` without a group. */
export function requestName({ group, key }: SecretRequest): string {
  return group === "" ? `[${excerpt(key)}]` : `[${excerpt(group)}/${excerpt(key)}]`;
}
