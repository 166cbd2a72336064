import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { median, timeToExit } from "./process.ts";
import { type Row, ratio } from "./table.ts";

const ROUNDS = 5;
const SECRETS = Number(process.env.BENCH_LISTED ?? "10000");
const CLI = join(import.meta.dirname, "../packages/cli/bin/flyte-secrets.js");
/** Reads the same rows from the same file and prints them, in a process of its own. */
const BARE = `
  const { DatabaseSync } = await import("node:sqlite");
  const rows = new DatabaseSync(process.argv[1], { readOnly: true }).prepare("SELECT * FROM secrets").all();
  console.log(rows.map((row) => Object.values(row).join("  ")).join("\\n"));`;

/**
 * From exec to exit: `get secret` of many secrets on this user's store, next to a bare Node process that prints the
 * same rows.
 */
export async function benchListing(): Promise<Row[]> {
  const home = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  const directory = join(home, ".flyte-secrets");
  try {
    const store = await openEmbeddedStore({ directory });
    const input = { value: SecretValue.fromText("x".repeat(32)), type: "generic" } as const;
    const create = (n: number) =>
      store.create({ org: "flyte", domain: "development", project: `p${n % 100}`, name: `secret-${n}` }, input);
    for (let n = 0; n < SECRETS; n += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, index) => create(n + index)));
    }
    await store.close();
    const bare = `bare Node process, ${SECRETS} rows`;
    const cases = new Map([
      [bare, ["--input-type=module", "--eval", BARE, join(directory, "store.db")]],
      ["get secret of 1", [CLI, "get", "secret", "--limit", "1"]],
      [`get secret, ${SECRETS} rows`, [CLI, "get", "secret"]],
      [`get secret -o wide, ${SECRETS} rows`, [CLI, "get", "secret", "-o", "wide"]],
      [`get secret -o json-raw, ${SECRETS} rows`, [CLI, "get", "secret", "-o", "json-raw"]],
      [`get secret --sort updated, ${SECRETS} rows`, [CLI, "get", "secret", "--sort", "updated"]],
    ]);
    const times = new Map([...cases.keys()].map((what) => [what, [] as number[]]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [what, args] of cases) times.get(what)?.push(await timeToExit(process.execPath, args, { HOME: home }));
    }
    const reference = median(times.get(bare) ?? []);
    return [...times].map(([what, ms]) => ({
      what,
      "exec to exit, ms": Math.round(median(ms)),
      ratio: ratio(median(ms), reference),
    }));
  } finally {
    rmSync(home, { recursive: true });
  }
}
