import { escapeControls } from "@flyte-secrets/core";

/**
 * Text as one word of a POSIX shell's command line, in quotes where it needs them. With characters that can't be seen,
 * such as line feeds, it is one of `$'...'` (POSIX 2024; bash, zsh and ksh before it), where they are escapes.
 */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (escapeControls(text) === text) return `'${text.replaceAll("'", `'\\''`)}'`;
  return `$'${Array.from(text, escapeInDollarQuotes).join("")}'`;
}

/** The words after a command that takes operands alone: `--` stands before the first that looks like an option. */
export function shellOperands(...words: readonly string[]): string {
  const first = words.findIndex((word) => word.startsWith("-"));
  return words.flatMap((word, at) => (at === first ? ["--", shellWord(word)] : [shellWord(word)])).join(" ");
}

function escapeInDollarQuotes(character: string): string {
  if (character === "'" || character === "\\") return `\\${character}`;
  if (escapeControls(character) === character) return character;
  return Array.from(Buffer.from(character), (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}
