/**
 * The maximum number of characters of foreign text in a message: enough to recognise a name, too few to flood a log.
 */
const MAX_QUOTED = 120;

/**
 * Control and format characters (among them those that change the direction of text), line separators, lone surrogates.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Makes text that somebody else chose safe for a terminal or a log. Characters that move the cursor, change colours or
 * the direction of text, or are invisible become escapes such as `\u001b`; so do line breaks and tabs.
 */
export function escapeControls(text: string): string {
  return text.replace(UNSEEN, (character) => SHORT_ESCAPES[character] ?? escapeOf(character));
}

/**
 * The first 120 characters of text that somebody else chose, escaped by {@link escapeControls}; `…` replaces the rest.
 */
export function excerpt(text: string): string {
  return escapeControls(cut(text));
}

/** {@link excerpt} between double quotes, with `"` and `\` escaped, for messages. */
export function quote(text: string): string {
  return `"${escapeControls(cut(text).replace(/["\\]/g, "\\$&"))}"`;
}

function cut(text: string): string {
  if (text.length <= MAX_QUOTED) return text;
  // A surrogate pair is one character: half of it would become an escape.
  const end = /[\ud800-\udbff]/.test(text.charAt(MAX_QUOTED - 1)) ? MAX_QUOTED - 1 : MAX_QUOTED;
  return `${text.slice(0, end)}…`;
}

function escapeOf(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\u{${code}}`;
}

/** The byte order marks of text files; PowerShell's `>` writes the second. */
const BYTE_ORDER_MARKS = [
  { mark: [0xef, 0xbb, 0xbf], encoding: "utf-8" },
  { mark: [0xff, 0xfe], encoding: "utf-16le" },
  { mark: [0xfe, 0xff], encoding: "utf-16be" },
] as const;

/** The message about a file that {@link decodeText} doesn't accept. */
export const NOT_TEXT = "not text: expected UTF-8, or UTF-16 with a byte order mark";

/**
 * Decodes a text file that a person or an editor wrote: UTF-8, or UTF-16 with a byte order mark, which is removed.
 * Undefined for anything else, which a lenient decoder would silently change, and for text with a NUL.
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
 * Removes all `character`s from the end of `text`, in linear time. The expression `/x+$/` takes quadratic time for text
 * with many of them in the middle.
 */
export function trimEndOf(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end--;
  return text.slice(0, end);
}
