/**
 * Splits the text of a JSON object into its members, by name, each as its original text: numbers keep all their digits,
 * objects their spaces. A duplicate name has all its texts. Undefined for any other text. Takes linear time.
 */
export function jsonMembers(text: string): ReadonlyMap<string, readonly string[]> | undefined {
  if (!/^[ \t\n\r]*\{/.test(text) || !isJson(text)) return undefined;
  const members = new Map<string, string[]>();
  let at = skipSpace(text, text.indexOf("{") + 1);
  while (text[at] !== "}") {
    const end = endOfString(text, at);
    const name: string = JSON.parse(text.slice(at, end));
    const start = skipSpace(text, skipSpace(text, end) + ":".length);
    const behind = endOfValue(text, start);
    const member = text.slice(start, behind);
    const texts = members.get(name);
    if (texts) texts.push(member);
    else members.set(name, [member]);
    at = skipSpace(text, behind);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return members;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\t" || text[at] === "\r") at += 1;
  return at;
}

/** The position after the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function endOfValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  do {
    const character = text[at] ?? "";
    if (character === '"') at = endOfString(text, at);
    else {
      if (character === "{" || character === "[") depth += 1;
      if (character === "}" || character === "]") depth -= 1;
      at += 1;
      // A number or a literal ends at the first character that can't belong to it.
      if (depth === 0 && !/[}\]]/.test(character)) while (/[-+.\w]/.test(text[at] ?? "")) at += 1;
    }
  } while (depth > 0);
  return at;
}
