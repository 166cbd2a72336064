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
