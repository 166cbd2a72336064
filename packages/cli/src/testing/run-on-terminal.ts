import { runOnTerminal as runProgram, type TerminalStep } from "@flyte-secrets/testkit/terminal";
import { CLI, type CliCall } from "./run-cli.ts";

/** Runs the real command on a pseudo terminal, to its end. */
export function runOnTerminal({ args, env }: Omit<CliCall, "input">, steps: readonly TerminalStep[]) {
  return runProgram({ file: process.execPath, args: [CLI, ...args], env, steps });
}
