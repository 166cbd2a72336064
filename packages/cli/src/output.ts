import type { Writable } from "node:stream";
import { styleText } from "node:util";

/** A stream of the process that may be a terminal. */
export type TerminalStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** How a piece of text looks where there are colours. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Text, in a style or without. */
export type StyledText = string | { readonly text: string; readonly style: Style };

/** Standard output or error of a command. */
export interface Output {
  /**
   * Prints text for people. Whatever a terminal or a reader could take for something else than text stands there as a
   * JSON escape (`\u001b`), but for line breaks (`\n`, `\r\n`) and tabs: control characters, those that turn the
   * direction of text or can't be seen, line separators. So JSON stays the same JSON, and a name or message of somebody
   * else's can't move the cursor or hide what follows.
   */
  write(text: string): void;
  /** Prints a line `warning: text`; the same text only once. */
  warn(text: string): void;
  /** {@link write} of the pieces in a row, each in its style if this has colours. */
  writeStyled(pieces: readonly StyledText[]): void;
  /**
   * The stream itself: for what has to arrive byte by byte (values, YAML for programs, a task's own output), and for
   * prompts.
   */
  readonly raw: TerminalStream;
  readonly isTTY: boolean;
  /**
   * A terminal that takes colours, unless `NO_COLOR` is set or `TERM` is `dumb`; anything where `FORCE_COLOR` is set,
   * to no 0.
   */
  readonly hasColors: boolean;
  readonly columns: number | undefined;
}

/** The output that goes to a stream. */
export function createOutput(raw: TerminalStream, env: Readonly<Record<string, string | undefined>> = {}): Output {
  const hasColors = takesColors(raw, env);
  const write = (text: string) => void raw.write(text);
  const warned = new Set<string>();
  return {
    warn(text) {
      if (!warned.has(text)) write(escapeForTerminal(`warning: ${text}\n`));
      warned.add(text);
    },
    write: (text) => write(escapeForTerminal(text)),
    writeStyled: (pieces) =>
      write(pieces.map((piece) => (typeof piece === "string" ? escapeForTerminal(piece) : paint(piece))).join("")),
    raw,
    hasColors,
    get isTTY() {
      return raw.isTTY === true;
    },
    get columns() {
      return raw.columns;
    },
  };

  function paint({ text, style }: Exclude<StyledText, string>): string {
    const shown = escapeForTerminal(text);
    return hasColors ? styleText(style, shown, { validateStream: false }) : shown;
  }
}

/** How wide a table may be: as wide as the terminal; undefined for what is read otherwise, which gets it whole. */
export function tableWidth({ isTTY, columns }: Output): number | undefined {
  // A terminal that doesn't know its width has none.
  return isTTY ? columns || 80 : undefined;
}

/** As Node and most commands have it: https://no-color.org, and `FORCE_COLOR` before it. */
function takesColors(raw: TerminalStream, env: Readonly<Record<string, string | undefined>>): boolean {
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0" && env.FORCE_COLOR !== "false";
  return raw.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
}

/** Control and format characters, halves of pairs, and the separators of lines and paragraphs. */
const UNSEEN = /(?![\n\t]|\r\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

function escapeForTerminal(text: string): string {
  return text.replace(UNSEEN, (character) =>
    Array.from({ length: character.length }, (_, unit) => `\\u${hex(character.charCodeAt(unit))}`).join(""),
  );
}

const hex = (unit: number): string => unit.toString(16).padStart(4, "0");
