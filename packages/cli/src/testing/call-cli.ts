import { PassThrough } from "node:stream";
import { runCommandLine } from "../command-line.ts";
import { createOutput } from "../output.ts";
import type { CliCall, CliResult } from "./run-cli.ts";

/**
 * Runs a command line in this process, on streams of its own: for the many that are refused before they do anything.
 */
export async function callCli({ args, env, input = "", cwd = "/" }: CliCall): Promise<CliResult> {
  const stdin = new PassThrough();
  stdin.end(input);
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const exitCode = await runCommandLine(args, {
    env,
    stdin,
    stdout: createOutput(stdout, env),
    stderr: createOutput(stderr, env),
    home: env.HOME ?? "/",
    cwd,
    nodeVersion: process.versions.node,
    interruption: () => new AbortController().signal,
    relaySignals: () => () => {},
  });
  return { exitCode, stdout: textIn(stdout), stderr: textIn(stderr) };
}

function textIn(stream: PassThrough): string {
  return String(stream.read() ?? "");
}
