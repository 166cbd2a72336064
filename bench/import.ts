import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { startServe } from "@flyte-secrets/testkit";
import { timeToExit } from "./process.ts";
import type { Row } from "./table.ts";

const IMPORTS = Number(process.env.BENCH_IMPORTS ?? "10000");
const CLI = join(import.meta.dirname, "../packages/cli/bin/flyte-secrets.js");

/**
 * What the command `import` takes for many secrets, from exec to exit: on the store itself, and by the socket of a
 * server. The reference is bare SQLite, as durable, that writes one after the other without sealing, checking or
 * telling anybody.
 */
export async function benchImport(): Promise<Row[]> {
  const home = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  try {
    const file = join(home, "many.json");
    const entries = Array.from({ length: IMPORTS }, (_, index) => [`k${index}`, `value ${index}`] as const);
    writeFileSync(file, JSON.stringify(Object.fromEntries(entries)));
    const referenceMs = writeOneByOne(join(home, "reference.db"), entries);
    const row = (what: string, ms: number): Row => ({
      what,
      "ours, ms": ms,
      "reference, ms": referenceMs,
      ratio: ms / referenceMs,
    });
    const alone = await timeToExit(process.execPath, [CLI, "import", file], {
      HOME: home,
      SECRET_STORE_PATH: join(home, "store"),
    });
    const server = await startServe();
    const served = await timeToExit(process.execPath, [CLI, "import", file], server.env);
    const again = await timeToExit(process.execPath, [CLI, "import", file, "--skip-existing"], server.env);
    await server.close();
    return [
      row(`import of ${IMPORTS}, no server`, alone),
      row(`import of ${IMPORTS}, by a server's socket`, served),
      row(`again, with --skip-existing`, again),
    ];
  } finally {
    rmSync(home, { recursive: true });
  }
}

function writeOneByOne(path: string, entries: readonly (readonly [string, string])[]): number {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT)");
  const insert = database.prepare("INSERT INTO t VALUES (?, ?)");
  const started = performance.now();
  for (const [key, value] of entries) insert.run(key, value);
  const took = performance.now() - started;
  database.close();
  return took;
}
