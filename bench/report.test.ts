import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { renderReport } from "./report.ts";
import { keepResult, type Result, readResults } from "./results.ts";
import { toSpread } from "./table.ts";

const HERE = import.meta.dirname;

const result = (rows: Result["rows"]): Result => ({
  date: "2026-11-28",
  commit: "0123abc",
  node: "v24.21.0",
  cpu: "a processor",
  cores: 2,
  load: [0.04, 1.96],
  seconds: 12,
  settings: { BENCH_ROUNDS: "3" },
  rows,
});

test("the report and its plots are those of the results that are kept", () => {
  const wanted = Object.fromEntries(renderReport(readResults(HERE)));
  const paths = globSync(["REPORT.md", "plots/*"], { cwd: HERE });
  expect(Object.fromEntries(paths.map((path) => [path, readFileSync(join(HERE, path), "utf8")]))).toEqual(wanted);
});

test("what was never answered is kept and read as it was", () => {
  const folder = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const kept = { ...result([{ what: "open loop", "p99 ms": toSpread([Number.NaN]) }]), load: [0, 1] as const };
  keepResult(folder, "overload", kept);
  expect(readResults(folder)).toEqual({ overload: kept });
});

test("a section says how it was run, of which version, and how busy the machine was", () => {
  const report = renderReport({ run: result([{ what: "bare child process", "exec to exit, ms": 50 }]) }).get(
    "REPORT.md",
  );
  expect(report).toContain(
    "`BENCH_ROUNDS=3 npm run bench -- run`: 2026-11-28, commit 0123abc, Node 24.21.0, 2 cores\nof a processor, load 0.0 before and 2.0 after, 12 s.",
  );
});

test("a goal is met by the median, and one that was not measured is left out", () => {
  const row = (writers: number, ratios: number[]) => ({ writers, ratio: toSpread(ratios) });
  const goals = (ratios: number[]) =>
    renderReport({ "store-writes": result([row(1, [0.1]), row(64, ratios)]) })
      .get("REPORT.md")
      ?.match(/^\|.*\| (?:yes|\*\*no\*\*) \| \d+ \|$/gm);
  expect(goals([0.1, 1.5, 9])).toEqual([
    "| creates of 64 writers, of the disk's own fsyncs | at least 1.50 | 1.50 (0.10–9) | yes | 0 |",
  ]);
  expect(goals([1.4, 1.4, 1.6])?.[0]).toMatch(/\*\*no\*\*/);
});

test("of many rows, the table shows some and the last, and the plot all", () => {
  const rows = Array.from({ length: 61 }, (_, n) => ({ "after, min": n, "serve, MiB": 100 + n, "webhook, MiB": 90 }));
  const files = renderReport({ memory: result(rows) });
  const lines = files.get("REPORT.md")?.match(/^\| \d+ \| \d+ \| 90 \|$/gm) ?? [];
  expect(lines.length).toBeLessThan(30);
  expect(lines.at(-1)).toBe("| 60 | 160 | 90 |");
  expect(files.get("plots/memory.svg")?.match(/M(?:[\d.]+ [\d.]+L){60}/g)).toHaveLength(2);
});
