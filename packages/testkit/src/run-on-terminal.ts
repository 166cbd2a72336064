import { spawn } from "@lydell/node-pty";

/** What a person does at a terminal: waits for the text, then types. */
export interface TerminalStep {
  readonly after: string;
  readonly type: string;
}

/** A program, and what is typed while it runs. */
export interface TerminalRun {
  readonly file: string;
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Its width. Default 160. */
  readonly columns?: number;
  readonly steps: readonly TerminalStep[];
}

export const ENTER = "\r";
export const CONTROL_C = "\u0003";

const LIMIT_MS = 60_000;

/**
 * Runs a program on a pseudo terminal to its end, a minute at the most. `screen` is all that the terminal showed.
 * Throws when a text never came.
 */
export async function runOnTerminal({ file, args, env, cwd, columns = 160, steps }: TerminalRun): Promise<{
  exitCode: number;
  screen: string;
}> {
  const terminal = spawn(file, [...args], { env, cols: columns, rows: 40, ...(cwd !== undefined && { cwd }) });
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
