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
