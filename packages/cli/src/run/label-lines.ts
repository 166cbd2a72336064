import { styleText } from "node:util";
import { escapeControls } from "@flyte-secrets/core";

/** A line that is longer comes in pieces of this size, a line each: a task need not ever end one. */
const MAX_LINE_BYTES = 65_536;
const COLORS = ["cyan", "yellow", "green", "magenta", "blue"] as const;
const LINE_FEED = 0x0a;

/** What stands before each line of one of several tasks: `train | `. */
export function lineLabel(name: string, index: number, inColor: boolean): string {
  const text = `${escapeControls(name)} |`;
  const color = COLORS[index % COLORS.length] ?? "cyan";
  return `${inColor ? styleText(color, text, { validateStream: false }) : text} `;
}

/** Output in whole lines with a label before each, so that those of several tasks don't mix. */
export interface LineLabeler {
  /** The lines that are complete now. */
  write(chunk: Uint8Array): Uint8Array;
  /** What is left, as a line. */
  end(): Uint8Array;
}

/**
 * A labeler of one stream. The label is there once for each line of at most 64 KiB; bytes are not changed otherwise.
 */
export function createLineLabeler(label: string): LineLabeler {
  const before = Buffer.from(label);
  const newLine = Buffer.of(LINE_FEED);
  let open: Buffer[] = [];
  let openBytes = 0;
  const take = (last: Uint8Array): Buffer[] => {
    const line = [before, ...open, Buffer.from(last)];
    open = [];
    openBytes = 0;
    return line;
  };
  return {
    write(chunk) {
      const bytes = Buffer.from(chunk);
      const lines: Buffer[] = [];
      let start = 0;
      for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
        lines.push(...take(bytes.subarray(start, end + 1)));
        start = end + 1;
      }
      const rest = bytes.subarray(start);
      open.push(rest);
      openBytes += rest.length;
      if (openBytes >= MAX_LINE_BYTES) lines.push(...take(newLine));
      return Buffer.concat(lines);
    },
    end: () => (openBytes === 0 ? Buffer.of() : Buffer.concat(take(newLine))),
  };
}
