import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { join } from "node:path";
import type { Row } from "./table.ts";

/** One run of a section: what it measured, of which version, on which machine, and how busy that was. */
export interface Result {
  readonly date: string;
  /** Abbreviated; ends in `+` when files differed from it, and is `unknown` outside of a checkout. */
  readonly commit: string;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  /** The load average of a minute, before and after. With nothing else running, the first is near 0. */
  readonly load: readonly [before: number, after: number];
  readonly seconds: number;
  /** The variables `BENCH_*` that it was run with. */
  readonly settings: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
}

/** The last result of each section, by its name. */
export type Results = Readonly<Record<string, Result>>;

const file = (folder: string) => join(folder, "results.json");

/** What is kept in a folder; nothing yet is no error. */
export function readResults(folder: string): Results {
  if (!existsSync(file(folder))) return {};
  // JSON has no NaN, and writes null.
  return JSON.parse(readFileSync(file(folder), "utf8"), (_, value) => value ?? Number.NaN);
}

/** Keeps the result of one section in place of its last one. */
export function keepResult(folder: string, name: string, result: Result): void {
  const results = { ...readResults(folder), [name]: result };
  const sorted = Object.fromEntries(Object.entries(results).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file(folder), `${JSON.stringify(sorted, null, 1)}\n`);
}

/** Measures, and notes the circumstances. */
export async function takeResult(measure: () => Promise<readonly Row[]>): Promise<Result> {
  const started = performance.now();
  const [before = 0] = loadavg();
  const rows = await measure();
  const [after = 0] = loadavg();
  const settings = Object.entries(process.env).filter(([name]) => /^BENCH_(?!RESULTS$)/.test(name));
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: describeCommit(),
    node: process.version,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    load: [before, after],
    seconds: Math.round((performance.now() - started) / 1000),
    settings: Object.fromEntries(settings.map(([name, value]) => [name, value ?? ""])),
    rows,
  };
}

function describeCommit(): string {
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no", "--", "../packages", "*.ts");
    return git("rev-parse", "--short", "HEAD").trim() + (changed === "" ? "" : "+");
  } catch {
    return "unknown";
  }
}
