import { execFile } from "node:child_process";

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const LIMIT_MS = 120_000;

/** Runs a program to its end and takes what it printed; a failure is a result, not an exception. */
export function runProgram(
  file: string,
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; input?: string | Buffer } = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      file,
      args,
      {
        env: { PATH: process.env.PATH ?? "", ...options.env },
        cwd: options.cwd,
        timeout: LIMIT_MS,
        maxBuffer: 64 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== "number") {
          reject(new Error(`${file} ended by ${error.signal ?? error.code}:\n${stdout}${stderr}`, { cause: error }));
        } else resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
    // A program may end without reading its input.
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input);
  });
}
