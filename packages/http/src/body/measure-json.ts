/** Structure of a JSON text. */
export interface JsonSize {
  /** Levels of nesting. */
  readonly depth: number;
  /** Objects, arrays, and their elements. */
  readonly values: number;
  /** Members of objects. */
  readonly members: number;
}

/** Limits at which measuring stops: the size of a text that exceeds one is that of its beginning. */
export interface JsonLimits {
  readonly depth?: number;
  /** Values and members together. */
  readonly parts: number;
}

/** Counts the objects that parsing would create, in linear time, whether the text is JSON or not. */
export function measureJson(text: string, limits: JsonLimits): JsonSize {
  const { depth: maxDepth = Number.POSITIVE_INFINITY, parts } = limits;
  let [level, depth, values, members] = [0, 0, 0, 0];
  for (let at = 0; at < text.length && depth <= maxDepth && values + members <= parts; at += 1) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        break;
      case "{":
      case "[":
        level += 1;
        values += 1;
        depth = Math.max(depth, level);
        break;
      case "}":
      case "]":
        level -= 1;
        break;
      case ",":
        values += 1;
        break;
      case ":":
        members += 1;
    }
  }
  return { depth, values, members };
}

/** The closing quote of the string that opens at `start`; the text's end where there is none. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let before = quote - 1;
    while (text[before] === "\\") before -= 1;
    // An even number of backslashes escapes each other.
    if ((quote - before) % 2 === 1) return quote;
  }
  return text.length;
}
