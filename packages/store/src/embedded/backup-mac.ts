import { createHmac, type Hmac, timingSafeEqual } from "node:crypto";
import { SecretsError } from "@flyte-secrets/core";
import type { StoreDatabase } from "./database.ts";
import { CONTENT_TABLES } from "./schema.ts";

/** Writes into a backup when it was made, and a MAC over all of it. */
export function writeBackupMac(database: StoreDatabase, key: Uint8Array, madeAt: Date): void {
  const madeAtMs = madeAt.getTime();
  database
    .statement("INSERT INTO backup_mac (one, made_at_ms, mac) VALUES (1, ?, ?)")
    .run(madeAtMs, macOf(database, key, madeAtMs));
}

/**
 * When a backup was made; undefined if it has no MAC. Throws `store_damaged` unless the schema and every row of every
 * table are as they were then, so that nothing can be changed, removed, added or taken from another backup without the
 * store's keys.
 */
export function readBackupMac(database: StoreDatabase, key: Uint8Array): Date | undefined {
  const row = database.statement("SELECT made_at_ms, mac FROM backup_mac").get();
  if (!row) return undefined;
  const madeAtMs = Number(row.made_at_ms);
  const mac = row.mac instanceof Uint8Array ? row.mac : new Uint8Array();
  const expected = macOf(database, key, madeAtMs);
  if (mac.length === expected.length && timingSafeEqual(mac, expected)) return new Date(madeAtMs);
  throw new SecretsError(
    "store_damaged",
    "The backup was changed after it was made, or put together from several. Use another one; nothing was changed.",
  );
}

/**
 * HMAC-SHA-256 over time, schema and rows, each value with its type and length, so that no two contents are the same
 * bytes.
 */
function macOf(database: StoreDatabase, key: Uint8Array, madeAtMs: number): Uint8Array {
  const mac = createHmac("sha256", key);
  addRow(mac, { madeAtMs, schemaVersion: database.schemaVersion() });
  addRows(mac, database, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name");
  for (const [table, order] of Object.entries(CONTENT_TABLES)) {
    addRows(mac, database, `SELECT * FROM ${table} ORDER BY ${order}`);
  }
  return mac.digest();
}

function addRows(mac: Hmac, database: StoreDatabase, sql: string): void {
  let count = 0;
  for (const row of database.statement(sql).iterate()) {
    addRow(mac, row);
    count += 1;
  }
  addRow(mac, { count });
}

function addRow(mac: Hmac, row: Readonly<Record<string, unknown>>): void {
  for (const value of Object.values(row)) {
    const bytes = value instanceof Uint8Array ? value : Buffer.from(String(value));
    mac.update(`${value === null ? "null" : typeof value} ${bytes.length}:`).update(bytes);
  }
}
