import { excerpt } from "@flyte-secrets/core";

/** The bytes to store of a file, and what to tell about its ends. */
export interface FileValue {
  readonly bytes: Uint8Array;
  readonly notes: readonly string[];
}

/**
 * Leaves out the line breaks behind a single line of text, as an editor or `echo` puts them behind a password: a task that
 * reads the variable would have them, one that asks `getSecret` wouldn't. Several lines stay as they are, since keys in
 * files need their last line break, and so do bytes that are no text. Whatever white space is left at the ends is told, and
 * what was left out.
 */
export function withoutLineFeed(bytes: Uint8Array, file: string, keep: boolean): FileValue {
  const text = textOf(bytes);
  if (text === undefined) return { bytes, notes: [] };
  const name = file === "-" ? "standard input" : excerpt(file);
  const end = endOfLine(text);
  const isLine = end > 0 && !text.slice(0, end).includes("\n");
  const kept = isLine && !keep ? text.slice(0, end) : text;
  const notes = [
    ...(kept === text ? [] : [`the line feed at the end of ${name} is left out; --keep-line-feed keeps it`]),
    ...(kept.trim() === kept
      ? []
      : [`${name} begins or ends with white space, which is part of the value; getSecret gives text without it`]),
  ];
  return { bytes: kept === text ? bytes : new TextEncoder().encode(kept), notes };
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Where the line breaks at the end begin. */
function endOfLine(text: string): number {
  let end = text.length;
  while (end > 0 && ["\n", "\r"].includes(text.charAt(end - 1))) end--;
  return end;
}
