import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { requireH2load } from "../../bench/h2load.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { requireKubernetes } from "./cluster.ts";

const BENCH = join(import.meta.dirname, "../../bench/main.ts");

const kubernetes = requireKubernetes();

describeWith(kubernetes.missing ? kubernetes : requireH2load(), "the measurements on a real API server", () => {
  test.each([
    ["rotation", { BENCH_UPDATES: "5" }, 1],
    ["kubernetes-scale", { BENCH_MANAGED: "100,700", BENCH_SECONDS: "1" }, 2],
    ["kubernetes-service", { BENCH_ROUNDS: "1", BENCH_SECONDS: "1" }, 9],
  ])("%s runs, and nothing fails in it", async (section, env, lines) => {
    const folder = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { exitCode, stdout, stderr } = await runProgram(process.execPath, [BENCH, section], {
      env: { ...env, BENCH_RESULTS: folder },
    });
    expect([exitCode, stderr]).toEqual([0, ""]);
    const [, , ...rows] = stdout.split("\n").filter((line) => line.startsWith("|"));
    expect(rows).toHaveLength(lines);
    // The last column: requests that failed, or values that were too old.
    expect(rows.map((row) => row.split("|").at(-2)?.trim())).toEqual(rows.map(() => "0"));
    expect(readFileSync(join(folder, "REPORT.md"), "utf8")).toContain(rows.join("\n"));
  });
});
