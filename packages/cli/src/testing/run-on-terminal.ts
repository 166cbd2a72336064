import { runOnTerminal as runProgram, type TerminalStep } from "@flyte-secrets/testkit/terminal";
import { CLI, type CliCall } from "./run-cli.ts";

export interface TerminalCall extends Omit<CliCall, "input"> {
  /** Of the terminal. */
  readonly columns?: number;
}

/** Runs the real command on a pseudo terminal, to its end. */
export function runOnTerminal({ args, ...options }: TerminalCall, steps: readonly TerminalStep[]) {
  return runProgram({ file: process.execPath, args: [CLI, ...args], ...options, steps });
}
