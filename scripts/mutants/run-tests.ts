import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fault } from "./fault.ts";

/**
 * What tests came to: the first failure, or that they passed, or that they had not ended in time. A failure without a
 * `test` is one of the whole file.
 */
export type Outcome =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly file: string; readonly test: string | undefined; readonly what: string }
  | { readonly kind: "hung" };

const ROOT = join(import.meta.dirname, "../..");
const VITEST = join(ROOT, "node_modules/vitest/vitest.mjs");

/** Of Vitest's JSON report, what is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/**
 * Runs test files in a process of their own, with a fault or without, until the first failure. Throws when Vitest
 * itself fails.
 */
export async function runTests(
  files: readonly string[],
  { fault, timeoutMs }: { readonly fault?: Fault; readonly timeoutMs: number },
): Promise<Outcome> {
  const report = join(tmpdir(), `flyte-secrets-mutant-${process.pid}.json`);
  const settings = [
    "--config",
    join(import.meta.dirname, "vitest.config.ts"),
    "--reporter=json",
    `--outputFile=${report}`,
  ];
  const { PLANTED_FAULT: _, ...env } = process.env;
  const child = spawn(process.execPath, [VITEST, "run", ...settings, ...files.map((file) => join(ROOT, file))], {
    cwd: ROOT,
    env: { ...env, NO_COLOR: "1", ...(fault && { PLANTED_FAULT: JSON.stringify(fault) }) },
    stdio: ["ignore", "ignore", "pipe"],
    // A group of its own, so that what tests have started ends with it.
    detached: true,
  });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors = `${errors}${chunk}`.slice(-4_000);
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    endGroup(child.pid);
  }, timeoutMs);
  const [code] = await once(child, "exit");
  clearTimeout(timer);
  endGroup(child.pid);
  if (isLate) return { kind: "hung" };
  const text = readReport(report);
  if (text === undefined) throw new Error(`Vitest ended with ${code} and without a report: ${errors}`);
  const failure = firstFailure(JSON.parse(text) as Report);
  if (failure !== undefined) return failure;
  return code === 0 ? { kind: "passed" } : { kind: "failed", file: files[0] ?? "", test: undefined, what: errors };
}

/** A file that was given up since another failed before counts as failed too, but has no message. */
function firstFailure({ testResults }: Report): Outcome | undefined {
  for (const { name, message, assertionResults } of testResults) {
    const test = assertionResults.find(({ status }) => status === "failed")?.fullName;
    const what = test ?? message;
    if (what !== "") return { kind: "failed", file: name.slice(ROOT.length + 1), test, what };
  }
  return undefined;
}

function readReport(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  } finally {
    rmSync(path, { force: true });
  }
}

/** Ends what is left of a process group that this process has started. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
