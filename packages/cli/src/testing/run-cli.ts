import { spawn } from "node:child_process";
import { join } from "node:path";

export const CLI = join(import.meta.dirname, "../../bin/flyte-secrets.js");

export interface CliCall {
  readonly args: readonly string[];
  /** All of the command's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Standard input; it is no terminal. Default: empty. */
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
}

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real command as a process of its own, to its end. */
export function runCli(call: CliCall): Promise<CliResult> {
  return runProgram([process.execPath, CLI, ...call.args], call);
}

/**
 * {@link runCli} where no file takes more than so many blocks (of 512 or 1,024 bytes, by the shell), as on a full disk.
 */
export function runWithFullDisk(call: CliCall, blocks = 0): Promise<CliResult> {
  const limited = ["sh", "-c", `ulimit -f ${blocks}; exec "$@"`, "sh"];
  return runProgram([...limited, process.execPath, CLI, ...call.args], call);
}

async function runProgram([program = "", ...args]: readonly string[], call: CliCall): Promise<CliResult> {
  const { env, input = "", cwd } = call;
  const child = spawn(program, args, { env, ...(cwd && { cwd }) });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk) => stdout.push(chunk));
  child.stderr.on("data", (chunk) => stderr.push(chunk));
  // A command that refuses its options ends without reading.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { exitCode, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}
