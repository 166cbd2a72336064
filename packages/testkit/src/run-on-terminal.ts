import { type IPty, spawn } from "@lydell/node-pty";

/** What a person does at a terminal: waits for the text, then types. */
export interface TerminalStep {
  readonly after: string;
  readonly type: string;
}

/** A program on a terminal of its own. */
export interface TerminalProgram {
  readonly file: string;
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Its width. Default 160. */
  readonly columns?: number;
}

/** A program, and what is typed while it runs. */
export interface TerminalRun extends TerminalProgram {
  readonly steps: readonly TerminalStep[];
}

export const ENTER = "\r";
export const CONTROL_C = "\u0003";

const LIMIT_MS = 60_000;

/** `write` types, and `destroy`, which its types leave out, closes the terminal. */
export type Terminal = IPty & { destroy(): void };

/** Starts a program as the leader of the session of a pseudo terminal. */
export function startOnTerminal({ file, args, env, cwd, columns = 160 }: TerminalProgram): Terminal {
  const size = { cols: columns, rows: 40 };
  return spawn(file, [...args], { env, ...size, ...(cwd !== undefined && { cwd }) }) as Terminal;
}

/**
 * Runs a program on a pseudo terminal to its end, a minute at the most. `screen` is all that the terminal showed.
 * Throws when a text never came.
 */
export async function runOnTerminal({ steps, ...program }: TerminalRun): Promise<{
  exitCode: number;
  screen: string;
}> {
  const terminal = startOnTerminal(program);
  const limit = setTimeout(() => terminal.kill("SIGKILL"), LIMIT_MS);
  const waiting = [...steps];
  let screen = "";
  let seen = 0;
  terminal.onData((data) => {
    screen += data;
    // One piece may bring what several steps wait for.
    for (let [step] = waiting; step !== undefined; [step] = waiting) {
      const at = screen.indexOf(step.after, seen);
      if (at < 0) return;
      seen = at + step.after.length;
      waiting.shift();
      terminal.write(step.type);
    }
  });
  const exitCode = await new Promise<number>((resolve) => terminal.onExit((exit) => resolve(exit.exitCode)));
  clearTimeout(limit);
  if (waiting.length > 0) throw new Error(`never saw "${waiting[0]?.after}" on the screen:\n${screen}`);
  return { exitCode, screen };
}
