/** How many characters of foreign text a message quotes: enough to recognise a name by, too few to fill a log with. */
const MAX_QUOTED = 120;

/** Control and format characters (which include those that turn the direction of text), line separators, and halves of a pair. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Text that somebody else chose, safe to print to a terminal or to write to a log: what would move the cursor, change colours,
 * turn the direction of reading or can't be seen stands there as an escape, such as `\u001b`. Line breaks and tabs too.
 */
export function escapeControls(text: string): string {
  return text.replace(UNSEEN, (character) => SHORT_ESCAPES[character] ?? escapeOf(character));
}

/** The first 120 characters of text that somebody else chose, as {@link escapeControls} shows them; `…` stands for the rest. */
export function excerpt(text: string): string {
  return escapeControls(cut(text));
}

/** {@link excerpt} between double quotes, with `"` and `\` escaped, for messages. */
export function quote(text: string): string {
  return `"${escapeControls(cut(text).replace(/["\\]/g, "\\$&"))}"`;
}

function cut(text: string): string {
  if (text.length <= MAX_QUOTED) return text;
  // A pair of surrogates is one character: half of it would be shown as an escape.
  const end = /[\ud800-\udbff]/.test(text.charAt(MAX_QUOTED - 1)) ? MAX_QUOTED - 1 : MAX_QUOTED;
  return `${text.slice(0, end)}…`;
}

function escapeOf(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\u{${code}}`;
}

/** What text files may begin with: PowerShell's `>` writes the second. */
const BYTE_ORDER_MARKS = [
  { mark: [0xef, 0xbb, 0xbf], encoding: "utf-8" },
  { mark: [0xff, 0xfe], encoding: "utf-16le" },
  { mark: [0xfe, 0xff], encoding: "utf-16be" },
] as const;

/** What is said of a file that {@link decodeText} takes for none. */
export const NOT_TEXT = "not text: expected UTF-8, or UTF-16 with a byte order mark";

/**
 * The text of a file that a person or a program of theirs wrote: UTF-8, or UTF-16 by its byte order mark, which is left
 * out. Undefined for anything else, which a lenient reading would change without a word, and for a NUL, which no such
 * file has.
 */
export function decodeText(bytes: Uint8Array): string | undefined {
  const found = BYTE_ORDER_MARKS.find(({ mark }) => mark.every((byte, at) => bytes[at] === byte));
  try {
    const text = new TextDecoder(found?.encoding ?? "utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

/**
 * `text` without what it has of `character` at the end, in time that grows with its length: `/x+$/` takes the square of it where
 * many stand in the middle.
 */
export function trimEndOf(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end--;
  return text.slice(0, end);
}
