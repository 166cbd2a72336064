import { spawn } from "node:child_process";
import { once } from "node:events";

/** A program that runs until it is stopped. */
export interface RunningProgram {
  readonly pid: number;
  /** Ends it and waits until it has. */
  stop(): Promise<void>;
}

export interface StartProgramOptions {
  /** Finds in what it has printed so far, on either output, that it is ready, and what that says. */
  readonly ready: RegExp;
  readonly env?: Readonly<Record<string, string>>;
}

const LIMIT_MS = 60_000;

/**
 * Starts a program and waits until it says that it is ready; gives the match of that. Throws with its output when it
 * never does.
 */
export async function startProgram(
  file: string,
  args: readonly string[],
  { ready, env }: StartProgramOptions,
): Promise<RunningProgram & { readonly match: RegExpExecArray }> {
  const child = spawn(file, args, { env: { PATH: process.env.PATH ?? "", ...env } });
  const ended = once(child, "close");
  let output = "";
  const match = await new Promise<RegExpExecArray>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${file} ${why}:\n${output}`));
    const timer = setTimeout(() => fail("was not ready in time"), LIMIT_MS);
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const found = ready.exec(output);
      if (found === null) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("error", (error) => fail(error.message));
    child.on("close", () => fail("ended"));
  }).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error;
  });
  return {
    match,
    pid: child.pid ?? 0,
    async stop() {
      child.kill();
      await ended;
    },
  };
}
