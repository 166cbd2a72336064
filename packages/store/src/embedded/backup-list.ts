import type { DatabaseSync } from "node:sqlite";
import { quote } from "@flyte-secrets/core";
import type { StoreDatabase } from "./database.ts";
import { BOUND_ROWS_VERSION } from "./schema.ts";

/** A backup that the store has recorded. */
export interface KnownBackup {
  readonly file: string;
  readonly madeAt: Date;
  /** Id of the master key that it was made under. */
  readonly keyId: string;
}

const READ = "SELECT made_at_ms, file, key_id FROM backups ORDER BY made_at_ms, file";

/** The recorded backups, oldest first. None for a store of a version before they were recorded. */
export function readBackups(database: StoreDatabase): readonly KnownBackup[] {
  if (database.schemaVersion() < BOUND_ROWS_VERSION) return [];
  return toBackups(database.statement(READ).all());
}

/** As {@link readBackups} for any database: none if it has no such table, or none that can be read. */
export function salvageBackups(connection: DatabaseSync): readonly KnownBackup[] {
  try {
    return toBackups(connection.prepare(READ).all());
  } catch {
    return [];
  }
}

/** Records backups; those already recorded stay as they are. Inside `StoreDatabase.write` only. */
export function recordBackups(database: StoreDatabase, backups: readonly KnownBackup[]): void {
  const insert = database.statement("INSERT OR IGNORE INTO backups (made_at_ms, file, key_id) VALUES (?, ?, ?)");
  for (const { file, madeAt, keyId } of backups) insert.run(madeAt.getTime(), file, keyId);
}

/** How many backups a message names. */
const MAX_NAMED = 5;

/** Backups for a message: `the backups "/a.db", "/b.db" and 2 more`. */
export function describeBackups(backups: readonly KnownBackup[]): string {
  const named = backups.slice(0, MAX_NAMED).map(({ file }) => quote(file));
  if (backups.length > MAX_NAMED) named.push(`${backups.length - MAX_NAMED} more`);
  return `the ${backups.length === 1 ? "backup" : "backups"} ${new Intl.ListFormat("en-GB").format(named)}`;
}

function toBackups(rows: readonly Readonly<Record<string, unknown>>[]): readonly KnownBackup[] {
  return rows.map(({ made_at_ms, file, key_id }) => ({
    file: String(file),
    madeAt: new Date(Number(made_at_ms)),
    keyId: String(key_id),
  }));
}
