import type { Writable } from "node:stream";

/** A stream of the process that may be a terminal. */
export type TerminalStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** Standard output or error of a command. */
export interface Output {
  /**
   * Prints text for people. Whatever a terminal or a reader could take for something else than text stands there as a JSON escape
   * (`\u001b`), but for line breaks and tabs: control characters, those that turn the direction of text or can't be seen, line
   * separators. So JSON stays the same JSON, and a name or message of somebody else's can't move the cursor or hide what follows.
   */
  write(text: string): void;
  /** The stream itself: for what has to arrive byte by byte (values, YAML for programs, a task's own output), and for prompts. */
  readonly raw: TerminalStream;
  readonly isTTY: boolean;
  readonly columns: number | undefined;
}

/** The output that goes to a stream. */
export function createOutput(raw: TerminalStream): Output {
  return {
    write: (text) => void raw.write(escapeForTerminal(text)),
    raw,
    get isTTY() {
      return raw.isTTY === true;
    },
    get columns() {
      return raw.columns;
    },
  };
}

/** Control and format characters, halves of pairs, and the separators of lines and paragraphs. */
const UNSEEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

function escapeForTerminal(text: string): string {
  return text.replace(UNSEEN, (character) =>
    Array.from({ length: character.length }, (_, unit) => `\\u${hex(character.charCodeAt(unit))}`).join(""),
  );
}

const hex = (unit: number): string => unit.toString(16).padStart(4, "0");
