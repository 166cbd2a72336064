import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { timeToExit } from "./process.ts";
import { type Row, toSpread } from "./table.ts";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "5");
const SIZES = (process.env.BENCH_SIZES ?? "100,1000,10000,100000").split(",").map(Number);
/** With so many rows, each form of the output. */
const FORMS_OF = 10_000;
const CLI = join(import.meta.dirname, "../packages/cli/bin/flyte-secrets.js");
/** Reads the same rows from the same file and prints them, in a process of its own. */
const BARE = `
  const { DatabaseSync } = await import("node:sqlite");
  const rows = new DatabaseSync(process.argv[1], { readOnly: true }).prepare("SELECT * FROM secrets").all();
  console.log(rows.map((row) => Object.values(row).join("  ")).join("\\n"));`;

/**
 * From exec to exit: `get secret` of few and of many secrets on this user's store, next to a bare Node process that
 * prints the same rows.
 */
export async function benchListing(): Promise<Row[]> {
  const home = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  const rows: Row[] = [];
  let filled = 0;
  try {
    for (const size of SIZES) {
      await addSecrets(home, filled, size);
      filled = size;
      const bare = ["--input-type=module", "--eval", BARE, join(home, ".flyte-secrets/store.db")];
      const get = (...options: string[]) => [CLI, "get", "secret", ...options];
      const cases = new Map([
        ["get secret", get()],
        ...(size === FORMS_OF
          ? ([
              ["get secret -o wide", get("-o", "wide")],
              ["get secret -o json-raw", get("-o", "json-raw")],
              ["get secret --sort updated", get("--sort", "updated")],
            ] as const)
          : []),
      ]);
      const run = (args: readonly string[]) => timeToExit(process.execPath, args, { HOME: home });
      const times = new Map([...cases.keys()].map((what) => [what, [] as { ms: number; bareMs: number }[]]));
      for (let round = 0; round < ROUNDS; round++) {
        const bareMs = await run(bare);
        for (const [what, args] of cases) times.get(what)?.push({ ms: await run(args), bareMs });
      }
      for (const [what, each] of times) {
        rows.push({
          what,
          rows: size,
          "exec to exit, ms": toSpread(each.map(({ ms }) => ms)),
          "bare Node process, ms": toSpread(each.map(({ bareMs }) => bareMs)),
          ratio: toSpread(each.map(({ ms, bareMs }) => ms / bareMs)),
        });
      }
    }
    return rows;
  } finally {
    rmSync(home, { recursive: true });
  }
}

async function addSecrets(home: string, from: number, to: number): Promise<void> {
  const store = await openEmbeddedStore({ directory: join(home, ".flyte-secrets") });
  const input = { value: SecretValue.fromText("x".repeat(32)), type: "generic" } as const;
  const create = (n: number) =>
    store.create({ org: "flyte", domain: "development", project: `p${n % 100}`, name: `secret-${n}` }, input);
  for (let n = from; n < to; n += 100) {
    await Promise.all(Array.from({ length: Math.min(100, to - n) }, (_, index) => create(n + index)));
  }
  await store.close();
}
