import type { Document, Node } from "yaml";
import { loadYaml } from "../load-yaml.ts";

/**
 * The offset of a value's key in the text of a document; `keys` are the keys and indexes that lead to it. For a value
 * that an alias or a merge key brings in, it is that of the last key that is written in this place.
 */
export function keyOffset(document: Document, keys: readonly (string | number)[]): number {
  const { isMap, isScalar, isSeq } = loadYaml();
  let node: unknown = document.contents;
  let offset = rangeStart(node) ?? 0;
  for (const key of keys) {
    if (isSeq(node) && typeof key === "number") {
      node = node.items[key];
      offset = rangeStart(node) ?? offset;
    } else {
      const pair = isMap(node)
        ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
        : undefined;
      offset = rangeStart(pair?.key) ?? offset;
      node = pair?.value;
    }
  }
  return offset;
}

function rangeStart(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
