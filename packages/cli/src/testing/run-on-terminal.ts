import { spawn } from "@lydell/node-pty";
import { CLI, type CliCall } from "./run-cli.ts";

/** What a person does at the terminal: waits for the text, then types. */
export interface Step {
  readonly after: string;
  readonly type: string;
}

export const ENTER = "\r";
export const CONTROL_C = "\u0003";

/** Runs the real command on a pseudo terminal, to its end. `screen` is all that the terminal showed. */
export async function runOnTerminal(
  { args, env }: Omit<CliCall, "input">,
  steps: readonly Step[],
): Promise<{ exitCode: number; screen: string }> {
  const terminal = spawn(process.execPath, [CLI, ...args], { env: { ...env }, cols: 160, rows: 40 });
  const waiting = [...steps];
  let screen = "";
  let seen = 0;
  terminal.onData((data) => {
    screen += data;
    const [step] = waiting;
    const at = step ? screen.indexOf(step.after, seen) : -1;
    if (!step || at < 0) return;
    seen = at + step.after.length;
    waiting.shift();
    terminal.write(step.type);
  });
  const exitCode = await new Promise<number>((resolve) => terminal.onExit((exit) => resolve(exit.exitCode)));
  if (waiting.length > 0) throw new Error(`never saw "${waiting[0]?.after}" on the screen:\n${screen}`);
  return { exitCode, screen };
}
