import { fromRequestAnnotations, type Pod, REQUEST_ANNOTATION_PREFIX, type SecretRequest } from "@flyte-secrets/core";

/** How many different texts are remembered, and up to which length: 8 MiB at the most. */
const MAX_TEXTS = 1_000;
const MAX_LENGTH = 8_192;

/**
 * Reads the requests of pods as {@link fromRequestAnnotations} does. The pods of one task carry the same annotations again and
 * again: the same texts give the same objects, as long as they are remembered.
 */
export function createRequestReader(): (pod: Pod) => readonly SecretRequest[] {
  const remembered = new Map<string, readonly SecretRequest[]>();
  return ({ metadata }) => {
    const annotations = metadata?.annotations ?? {};
    let text = "";
    for (const name in annotations) {
      if (!name.startsWith(REQUEST_ANNOTATION_PREFIX)) continue;
      const value = annotations[name] ?? "";
      // With its length, so that no value can pass for another annotation.
      text += `${name}=${value.length}:${value}`;
    }
    const known = remembered.get(text);
    if (known) return known;
    const requests = fromRequestAnnotations(annotations);
    if (text.length <= MAX_LENGTH) {
      if (remembered.size >= MAX_TEXTS) remembered.clear();
      remembered.set(text, requests);
    }
    return requests;
  };
}
