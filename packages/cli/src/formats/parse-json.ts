import type { SecretsError } from "@flyte-secrets/core";

/**
 * Parses JSON in which no object has a name twice: JSON.parse silently takes the last, and others the first (RFC 8259,
 * section 4). `fail` makes the error of a problem, which names rule and place and never quotes the text.
 */
export function parseJson(text: string, fail: (problem: string) => SecretsError): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // JSON.parse quotes what it choked on, which may be a value.
    throw fail("is not JSON");
  }
  const at = findRepeatedName(text);
  if (at === undefined) return parsed;
  const before = text.slice(0, at).split("\n");
  throw fail(`has a name twice in one object: line ${before.length}, column ${(before.at(-1) ?? "").length + 1}`);
}

/** Where, in a text that is JSON, the first name begins that its object had before. */
function findRepeatedName(text: string): number | undefined {
  // The names of each object that is open; null for a list.
  const open: (Set<string> | null)[] = [];
  let mayBeName = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      const names = open.at(-1);
      if (mayBeName && names) {
        // However it is written: "a" and "\u0061" are one name.
        const name: string = JSON.parse(text.slice(at, end));
        if (names.has(name)) return at;
        names.add(name);
      }
      mayBeName = false;
      at = end - 1;
    } else if (character === "{" || character === "[") {
      open.push(character === "{" ? new Set() : null);
      mayBeName = character === "{";
    } else if (character === "}" || character === "]") {
      open.pop();
    } else if (character === ",") {
      mayBeName = open.at(-1) !== null;
    }
  }
  return undefined;
}

/** Behind the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}
