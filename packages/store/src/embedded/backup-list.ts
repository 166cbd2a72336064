import type { DatabaseSync } from "node:sqlite";
import { quote } from "@flyte-secrets/core";
import type { StoreDatabase } from "./database.ts";
import { BOUND_ROWS_VERSION } from "./schema.ts";

/** A backup that a store remembers. */
export interface KnownBackup {
  readonly file: string;
  readonly madeAt: Date;
  /** Id of the master key that it was made under. */
  readonly keyId: string;
}

const READ = "SELECT made_at_ms, file, key_id FROM backups ORDER BY made_at_ms, file";

/** The backups that the store remembers, oldest first. None for one of the version before. */
export function readBackups(database: StoreDatabase): readonly KnownBackup[] {
  if (database.schemaVersion() < BOUND_ROWS_VERSION) return [];
  return toBackups(database.statement(READ).all());
}

/** As {@link readBackups}, of any database: none where it has no such list, or none that can be read. */
export function salvageBackups(connection: DatabaseSync): readonly KnownBackup[] {
  try {
    return toBackups(connection.prepare(READ).all());
  } catch {
    return [];
  }
}

/** Adds backups to what the store remembers; those it knows stay as they are. Inside `StoreDatabase.write` only. */
export function noteBackups(database: StoreDatabase, backups: readonly KnownBackup[]): void {
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
