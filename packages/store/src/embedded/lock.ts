import { DatabaseSync } from "node:sqlite";
import { SecretsError } from "@flyte-secrets/core";
import { isBusy } from "../errors.ts";
import { type KnownBackup, salvageBackups } from "./backup-list.ts";
import type { StoreDirectory } from "./directory.ts";
import { describeHolders } from "./holders.ts";

/** A store that no other process can open until it is released. */
export interface LockedStore {
  /** The backups that it has recorded, as far as it can be read. */
  readonly backups: readonly KnownBackup[];
  readonly release: () => void;
}

/**
 * Locks the present database until it is released; a process that waits for it then finds the file replaced (see
 * `StoreDatabase.assertInPlace`). A damaged database cannot be locked and needs no protection. `store_unavailable` if
 * another process has it open.
 */
export function lockStore({ databaseFile }: StoreDirectory): LockedStore {
  const connection = new DatabaseSync(databaseFile, { timeout: 0 });
  try {
    // Leaving WAL needs a database that nobody else has open, and moves the log's content into it.
    connection.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
  } catch (error) {
    if (isBusy(error)) {
      connection.close();
      const holders = describeHolders(databaseFile);
      throw new SecretsError(
        "store_unavailable",
        `${databaseFile} is in use by ${holders}. Stop what has it open first.`,
        {
          cause: error,
        },
      );
    }
  }
  return { backups: salvageBackups(connection), release: () => connection.close() };
}

/** The processes that have the store open, for a message; undefined if there are none. Does not change the file. */
export function findHolders({ databaseFile }: StoreDirectory): string | undefined {
  const connection = new DatabaseSync(databaseFile, { timeout: 0 });
  let busy = false;
  try {
    // In this mode a database with a write-ahead log is opened by one only:
    // https://sqlite.org/wal.html#use_of_wal_without_shared_memory
    connection.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; ROLLBACK");
  } catch (error) {
    busy = isBusy(error);
  } finally {
    connection.close();
  }
  return busy ? describeHolders(databaseFile) : undefined;
}
