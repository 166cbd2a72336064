import { styleText } from "node:util";

const WIDTH = 78;
const INDENT = "    ";

/**
 * What the audience sees: numbered steps, the commands, what came of them. Plain where there is no terminal, or
 * NO_COLOR.
 */
export interface Screen {
  title(text: string): void;
  step(text: string): void;
  /** A command line as a user types it. */
  command(line: string, remark?: string): void;
  say(text: string): void;
  /** A block of what a command printed or wrote, with a margin. */
  quote(text: string): void;
  /** Columns as wide as their content. */
  table(rows: readonly (readonly string[])[]): void;
  /** Counts, and says so when it isn't so. */
  check(what: string, holds: boolean): void;
  /** A mark for the cell of a table; counted like {@link check}. */
  mark(what: string, holds: boolean): string;
  /** Tells how many held and which did not. True when all did. */
  summary(seconds: number): boolean;
}

export function createScreen(output: NodeJS.WriteStream): Screen {
  const style = (how: Parameters<typeof styleText>[0], text: string): string =>
    styleText(how, text, { stream: output });
  const print = (line = ""): boolean => output.write(`${line}\n`);
  const failed: string[] = [];
  let steps = 0;
  let checks = 0;
  const count = (what: string, holds: boolean): void => {
    checks++;
    if (!holds) failed.push(what);
  };
  return {
    title: (text) => print(style("bold", text)),
    step(text) {
      print();
      print(` ${style("cyan", String(++steps))}  ${style("bold", text)}`);
    },
    command(line, remark) {
      const lines = wrap(`$ ${line}`, WIDTH - INDENT.length - 2);
      lines.forEach((part, index) => {
        const last = index === lines.length - 1;
        const end = !last ? " \\" : remark === undefined ? "" : style("dim", `  # ${remark}`);
        print(`${INDENT}${index === 0 ? "" : "    "}${part}${end}`);
      });
    },
    say: (text) => wrap(text, WIDTH - INDENT.length).forEach((line) => void print(`${INDENT}${style("dim", line)}`)),
    quote(text) {
      for (const line of text
        .trimEnd()
        .split("\n")
        .flatMap((long) => wrap(long, WIDTH - INDENT.length - 2))) {
        print(`${INDENT}${style("dim", "│")} ${line}`);
      }
    },
    table(rows) {
      const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
      rows.forEach((row, index) => {
        const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
        print(INDENT + (index === 0 ? style("dim", line.trimEnd()) : colourMarks(line.trimEnd(), style)));
      });
    },
    check(what, holds) {
      count(what, holds);
      print(`${INDENT}${holds ? style("green", "✓") : style("red", "✗")} ${what}`);
    },
    mark(what, holds) {
      count(what, holds);
      return holds ? "✓" : "✗";
    },
    summary(seconds) {
      print();
      for (const what of failed) print(style("red", `✗ ${what}`));
      const verdict =
        failed.length === 0
          ? style("green", `✓ all ${checks} checks hold`)
          : style("red", `${failed.length} of ${checks} checks fail`);
      print(`${verdict}, in ${seconds.toFixed(1)} s`);
      return failed.length === 0;
    },
  };
}

type Style = (how: "green" | "red", text: string) => string;

function colourMarks(line: string, style: Style): string {
  return line.replaceAll("✓", style("green", "✓")).replaceAll("✗", style("red", "✗"));
}

/** Lines of at most `width` characters, cut between words where there are any. */
function wrap(text: string, width: number): string[] {
  if (text.length <= width) return [text];
  const cut = text.lastIndexOf(" ", width);
  const end = cut > 0 ? cut : width;
  return [text.slice(0, end), ...wrap(text.slice(end).trimStart(), width)];
}
