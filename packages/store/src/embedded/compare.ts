import { statSync } from "node:fs";
import { encodeSecretId, isSecretsError, type SecretId } from "@flyte-secrets/core";
import { StoreDatabase } from "./database.ts";
import type { StoreDirectory } from "./directory.ts";
import { BOUND_ROWS_VERSION } from "./schema.ts";

/** How many secrets differ between a store and the one that replaces it. */
export interface StoreDifference {
  /** Only in the present store. */
  readonly missing: number;
  /** In both, with another version or mark. */
  readonly other: number;
  /** Only in the other store. */
  readonly added: number;
}

/**
 * Compares the store of a directory with one that may replace it. Undefined if there is none, or none that can be read.
 */
export async function compareStores(
  present: StoreDirectory,
  next: StoreDatabase,
): Promise<StoreDifference | undefined> {
  if ((statSync(present.databaseFile, { throwIfNoEntry: false })?.size ?? 0) === 0) return undefined;
  const before = await readVersions(present);
  if (!before) return undefined;
  const after = await next.read(() => versionsOf(next));
  const missing = [...before.keys()].filter((id) => !after.has(id)).length;
  const added = [...after.keys()].filter((id) => !before.has(id)).length;
  const other = [...before].filter(([id, version]) => after.has(id) && after.get(id) !== version).length;
  return { missing, other, added };
}

async function readVersions(directory: StoreDirectory): Promise<Map<string, string> | undefined> {
  let database: StoreDatabase | undefined;
  try {
    database = await StoreDatabase.open(directory);
    const present = database;
    return await present.read(() => versionsOf(present));
  } catch (error) {
    if (isSecretsError(error)) return undefined;
    throw error;
  } finally {
    database?.close();
  }
}

/** By encoded id, a text that identifies the state of a secret. */
function versionsOf(database: StoreDatabase): Map<string, string> {
  const version = database.schemaVersion() < BOUND_ROWS_VERSION ? "1" : "version";
  const rows = database
    .statement(`SELECT org, domain, project, name, created_at_ms, system, ${version} AS version FROM secrets`)
    .all();
  // The table is STRICT: SQLite keeps the columns to these types.
  return new Map(
    rows.map((row) => [
      encodeSecretId(row as unknown as SecretId),
      `${row.created_at_ms} ${row.system} ${row.version}`,
    ]),
  );
}
