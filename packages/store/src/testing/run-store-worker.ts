import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface StoreWorkerOptions {
  readonly command: "write" | "rotate" | "fill" | "create";
  readonly directory: string;
  /** What the names of the secrets begin with; each worker on a store needs one of its own. Default `key`. */
  readonly prefix?: string;
  readonly count: number;
  /** Of `write`: how many writes are under way at once, each of secrets of its own. Default 1. */
  readonly lanes?: number;
  /** Kills the process with SIGKILL a random moment after so many lines; by default it runs to its end. */
  readonly killAfterLines?: number;
  /** Becomes this user before it opens the store; needs root. */
  readonly user?: number;
  /** Shell commands that come before the process, such as `ulimit -f 100`. */
  readonly prelude?: string;
  /** A command to run all of it in, such as `unshare -rm`. */
  readonly wrapper?: readonly string[];
}

/** A finished worker: the lines that it printed whole, and its exit code, null when it was killed. */
export interface StoreWorkerResult {
  readonly lines: readonly string[];
  readonly exitCode: number | null;
  readonly errors: string;
}

/** Runs `store-worker.ts` in a process of its own until it ends or is killed. */
export async function runStoreWorker(options: StoreWorkerOptions): Promise<StoreWorkerResult> {
  const { command, directory, prefix = "key", count, lanes = 1, user = "", prelude = ":", wrapper = [] } = options;
  // As it is built, whoever imports this, be it from the source.
  const program = join(import.meta.dirname, "../../dist/testing/store-worker.js");
  const worker = [process.execPath, program, command, directory, prefix, String(count), String(lanes), String(user)];
  const [file = "sh", ...args] = [...wrapper, "sh", "-c", `${prelude} && exec "$@"`, "sh", ...worker];
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const exited = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === options.killAfterLines) void killSoon(child);
  }
  return { lines, exitCode: await exited, errors };
}

/** The next write is in flight meanwhile: up to 30 turns of the event loop spread the kill over its steps. */
async function killSoon(child: ChildProcess): Promise<void> {
  const turns = Math.floor(Math.random() * 30);
  for (let turn = 0; turn < turns; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
  child.kill("SIGKILL");
}
