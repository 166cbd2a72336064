import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { timeToExit } from "./process.ts";
import { bareCall } from "./startup.ts";
import { type Row, toSpread } from "./table.ts";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "7");
const CLI = join(import.meta.dirname, "../packages/cli/bin/flyte-secrets.js");
const TASKS = join(import.meta.dirname, "../packages/cli/testdata/run");
/** From exec to exit: a task under `run`, next to a bare child process that calls the same task. */
export async function benchRun(): Promise<Row[]> {
  const home = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  try {
    const store = await openEmbeddedStore({ directory: join(home, ".flyte-secrets") });
    const id = { org: "flyte", domain: "", project: "", name: "api-key" };
    await store.create(id, { value: SecretValue.fromText("x".repeat(32)), type: "generic" });
    await store.close();

    const cases = new Map([
      ["bare child process", ["--input-type=module", "--eval", bareCall(join(TASKS, "tasks.mjs"))]],
      ["run, JavaScript, no secret", [CLI, "run", join(TASKS, "tasks.mjs"), "plain"]],
      ["run, JavaScript, one secret", [CLI, "run", join(TASKS, "secrets.mjs"), "printing"]],
      ["run, TypeScript, no secret", [CLI, "run", join(TASKS, "tasks.ts"), "decorated"]],
    ]);
    const times = new Map([...cases.keys()].map((what) => [what, [] as number[]]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [what, args] of cases) times.get(what)?.push(await timeToExit(process.execPath, args, { HOME: home }));
    }
    const bare = times.get("bare child process") ?? [];
    return [...times].map(([what, ms]) => ({
      what,
      "exec to exit, ms": toSpread(ms),
      "over the bare child, ms": toSpread(ms.map((each, round) => each - (bare[round] ?? Number.NaN))),
      ratio: toSpread(ms.map((each, round) => each / (bare[round] ?? Number.NaN))),
    }));
  } finally {
    rmSync(home, { recursive: true });
  }
}
