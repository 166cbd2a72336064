import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface StoreWorkerOptions {
  readonly command: "write" | "rotate";
  readonly directory: string;
  /** What the names of the secrets begin with; a worker of its own needs one of its own. */
  readonly prefix?: string;
  readonly count: number;
  /** Kills the process with SIGKILL some microseconds after so many lines; by default it runs to its end. */
  readonly killAfterLines?: number;
}

/** A finished worker: the lines that it printed whole, and its exit code, null when it was killed. */
export interface StoreWorkerResult {
  readonly lines: readonly string[];
  readonly exitCode: number | null;
  readonly errors: string;
}

/** Runs `store-worker.ts` in a process of its own until it ends or is killed. */
export async function runStoreWorker(options: StoreWorkerOptions): Promise<StoreWorkerResult> {
  const { command, directory, prefix = "key", count, killAfterLines = Number.POSITIVE_INFINITY } = options;
  const program = join(import.meta.dirname, "store-worker.js");
  const child = spawn(process.execPath, [program, command, directory, prefix, String(count)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const exited = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    // The next write is under way meanwhile: turns of the event loop spread the kill over its steps.
    if (lines.length === killAfterLines) void killSoon(child, Math.floor(Math.random() * 30));
  }
  return { lines, exitCode: await exited, errors };
}

async function killSoon(child: { kill(signal: "SIGKILL"): boolean }, turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
  child.kill("SIGKILL");
}
