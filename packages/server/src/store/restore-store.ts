import { randomUUID } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SecretsError } from "@flyte-secrets/core";
import { openKeyring } from "./keyring.ts";
import { toMasterKey } from "./master-key.ts";
import { StoreDatabase } from "./store-database.ts";
import { makePrivateFile, prepareStoreDirectory, type StoreDirectory, syncDirectory } from "./store-directory.ts";
import { isBusy, toStoreError } from "./store-error.ts";

export interface RestoreStoreOptions {
  /** A file that `backupStore` made. */
  readonly file: string;
  /** The data directory to restore to, made where it is missing. */
  readonly directory: string;
  /** The key of the backed-up store; absent: the one in the directory's `master.key`. */
  readonly masterKey?: Uint8Array;
  /** Whether a store that is there may go. Default false: `invalid_argument`. */
  readonly replace?: boolean;
}

/**
 * Makes a backup the store of a directory, for `flyte-secrets restore`. Before anything is changed the backup's structure is
 * checked and the master key must open it; then the database changes in one step. A store that a process has open is not
 * replaced: `store_unavailable`.
 */
export async function restoreStore({
  file,
  directory,
  masterKey,
  replace = false,
}: RestoreStoreOptions): Promise<void> {
  const target = prepareStoreDirectory(directory);
  const candidate = { ...target, databaseFile: `${target.databaseFile}.${randomUUID()}.restoring` };
  assertReplaceable(target, replace);
  try {
    copyFileSync(resolve(file), candidate.databaseFile, constants.COPYFILE_EXCL);
    await verify(candidate, masterKey);
    putInPlace(candidate, target, replace);
  } catch (error) {
    throw toStoreError(error, file);
  } finally {
    removeDatabase(candidate);
  }
}

async function verify(candidate: StoreDirectory, masterKey: Uint8Array | undefined): Promise<void> {
  chmodSync(candidate.databaseFile, 0o600);
  const database = await StoreDatabase.open(candidate);
  try {
    if (database.schemaVersion() === 0) throw new SecretsError("store_damaged", "The backup is empty.");
    database.assertIntact();
    await openKeyring(database, masterKey && toMasterKey(masterKey));
  } finally {
    database.close();
  }
  const descriptor = openSync(candidate.databaseFile, "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function putInPlace(candidate: StoreDirectory, target: StoreDirectory, replace: boolean): void {
  makePrivateFile(target.databaseFile);
  const release = lockDatabase(target);
  try {
    assertReplaceable(target, replace);
    // A write-ahead log that outlives its database would be played into the new one.
    rmSync(`${target.databaseFile}-wal`, { force: true });
    rmSync(`${target.databaseFile}-shm`, { force: true });
    renameSync(candidate.databaseFile, target.databaseFile);
    syncDirectory(target.path);
  } finally {
    release();
  }
}

/**
 * Keeps everybody out of the present database until released; whoever waits for it then finds the file replaced (see
 * `StoreDatabase.assertInPlace`). A damaged one cannot be locked and needs no protection.
 */
function lockDatabase({ databaseFile }: StoreDirectory): () => void {
  const connection = new DatabaseSync(databaseFile, { timeout: 0 });
  try {
    // Leaving WAL needs a database that nobody else has open, and moves the log's content into it.
    connection.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
  } catch (error) {
    if (isBusy(error)) {
      connection.close();
      throw new SecretsError(
        "store_unavailable",
        `${databaseFile} is in use. Stop the server that has it open first.`,
        {
          cause: error,
        },
      );
    }
  }
  return () => connection.close();
}

function assertReplaceable({ path, databaseFile }: StoreDirectory, replace: boolean): void {
  const size = statSync(databaseFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0 || replace) return;
  throw new SecretsError(
    "invalid_argument",
    `directory: ${path} holds a store already. Restore to another directory, or replace it (--replace).`,
  );
}

function removeDatabase({ databaseFile }: StoreDirectory): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${databaseFile}${suffix}`, { force: true });
}
