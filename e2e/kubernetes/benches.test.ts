import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { requireH2load } from "../../bench/h2load.ts";
import { requireFlyte } from "../support/flyte-python.ts";
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
    const { rows, report } = await measure(section, env);
    expect(rows).toHaveLength(lines);
    // The last column: requests that failed, or values that were too old.
    expect(rows.map((row) => row.split("|").at(-2)?.trim())).toEqual(rows.map(() => "0"));
    expect(report).toContain(rows.join("\n"));
  });
});

const flyte = requireFlyte();

describeWith(flyte.missing ? flyte : kubernetes, "what users wait for", () => {
  test("each command does what it is measured for", async () => {
    const { rows } = await measure("users", { BENCH_ROUNDS: "1", BENCH_IMPORTS: "30" });
    expect(rows.map((row) => row.split("|")[1]?.trim())).toEqual([
      "create",
      "get",
      "import of 30",
      "list of 30",
      "first output of `run`",
    ]);
  });
});

describeWith(requireH2load(), "memory over time", () => {
  test("is measured while both servers answer everything", async () => {
    const { rows } = await measure("memory", { BENCH_MEMORY_MINUTES: "0.05" });
    expect(rows).toHaveLength(61);
    expect(rows.at(-1)?.split("|").at(-2)?.trim()).toBe("0");
  });
});

/** Runs a section by itself, which must succeed; gives the lines of its table and the report. */
async function measure(section: string, env: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { exitCode, stdout, stderr } = await runProgram(process.execPath, [BENCH, section], {
    env: { ...env, BENCH_RESULTS: folder },
  });
  expect([exitCode, stderr]).toEqual([0, ""]);
  const [, , ...rows] = stdout.split("\n").filter((line) => line.startsWith("|"));
  return { rows, report: readFileSync(join(folder, "REPORT.md"), "utf8") };
}
