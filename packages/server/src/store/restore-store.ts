import { randomUUID } from "node:crypto";
import { chmodSync, constants, copyFileSync, renameSync, rmSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SecretsError } from "@flyte-secrets/core";
import { readBackupMac } from "./backup-mac.ts";
import { compareStores, type StoreDifference } from "./compare-stores.ts";
import { openKeyring, reopenKeyring, takeKeptKey } from "./keyring.ts";
import { toMasterKey } from "./master-key.ts";
import { BOUND_ROWS_VERSION } from "./schema.ts";
import { assertSchema } from "./schema-check.ts";
import { StoreDatabase } from "./store-database.ts";
import {
  makePrivateFile,
  prepareStoreDirectory,
  removeDatabase,
  type StoreDirectory,
  syncDirectory,
  syncFile,
} from "./store-directory.ts";
import { isBusy, toStoreError } from "./store-error.ts";

export interface RestoreStoreOptions {
  /** A file that `backupStore` made. */
  readonly file: string;
  /** The data directory to restore to, made where it is missing. */
  readonly directory: string;
  /** The key of the backed-up store; absent: the one in the directory's `master.key`, or a former one that is kept there. */
  readonly masterKey?: Uint8Array;
  /** Whether a store that is there may go. Default false: `invalid_argument`, with what it would lose. */
  readonly replace?: boolean;
  /** Whether to take a file without authentication, as versions before this made them. Default false: `invalid_argument`. */
  readonly unauthenticated?: boolean;
}

/** What a restore did. */
export interface RestoreReport {
  /** When the backup was made; undefined for one without authentication. */
  readonly madeAt: Date | undefined;
  /** What became of the store that was there; undefined where there was none, or none that could be read. */
  readonly difference: StoreDifference | undefined;
}

/**
 * Makes a backup the store of a directory, for `flyte-secrets restore`. Before anything is changed its structure, its schema and its
 * authentication are checked, and a master key must open it; then the database changes in one step. A store that a process has open is not
 * replaced: `store_unavailable`.
 */
export async function restoreStore(options: RestoreStoreOptions): Promise<RestoreReport> {
  const { file, directory } = options;
  const target = prepareStoreDirectory(directory);
  const candidate = { ...target, databaseFile: `${target.databaseFile}.${randomUUID()}.restoring` };
  try {
    copyFileSync(resolve(file), candidate.databaseFile, constants.COPYFILE_EXCL);
    const report = await verify(candidate, target, options);
    assertReplaceable(target, report, options);
    putInPlace(candidate, target, options);
    return report;
  } catch (error) {
    throw toStoreError(error, file);
  } finally {
    removeDatabase(candidate.databaseFile);
  }
}

async function verify(
  candidate: StoreDirectory,
  target: StoreDirectory,
  { file, masterKey, unauthenticated = false }: RestoreStoreOptions,
): Promise<RestoreReport> {
  chmodSync(candidate.databaseFile, 0o600);
  const given = masterKey && toMasterKey(masterKey);
  const database = await StoreDatabase.open(candidate);
  let report: RestoreReport;
  try {
    const version = database.schemaVersion();
    if (version === 0) throw new SecretsError("store_damaged", "The backup is empty.");
    database.assertIntact();
    assertSchema(database);
    const madeAt =
      version < BOUND_ROWS_VERSION ? undefined : readBackupMac(database, reopenKeyring(database, given).backupKey);
    if (!madeAt && !unauthenticated) throw notAuthenticated(file);
    await takeKeptKey(database, given);
    await openKeyring(database, given);
    await database.write(() => database.statement("DELETE FROM backup_mac").run());
    report = { madeAt, difference: await compareStores(target, database) };
  } finally {
    database.close();
  }
  syncFile(candidate.databaseFile);
  return report;
}

function putInPlace(candidate: StoreDirectory, target: StoreDirectory, options: RestoreStoreOptions): void {
  makePrivateFile(target.databaseFile);
  const release = lockDatabase(target);
  try {
    assertReplaceable(target, undefined, options);
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

function assertReplaceable(
  { path, databaseFile }: StoreDirectory,
  report: RestoreReport | undefined,
  { replace = false }: RestoreStoreOptions,
): void {
  const size = statSync(databaseFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0 || replace) return;
  throw new SecretsError(
    "invalid_argument",
    `directory: ${path} holds a store already.${report ? ` ${describeRestore(report)}` : ""} Restore to another directory, or replace it (--replace).`,
  );
}

/** When the backup was made, and what it takes back; sentences for a person. */
export function describeRestore({ madeAt, difference }: RestoreReport): string {
  const made = madeAt ? `The backup was made at ${madeAt.toISOString()}.` : "The backup doesn't say when it was made.";
  if (!difference) return made;
  const { missing, other, added } = difference;
  return `${made} Secrets of the store that was there: ${missing} lost, ${other} changed, ${added} brought back.`;
}

const notAuthenticated = (file: string) =>
  new SecretsError(
    "invalid_argument",
    `file: nothing in ${file} proves that it is as it was made: an earlier version made it, or it is no file of \`flyte-secrets backup\`. ` +
      "If you know where it was kept, take it all the same (--unauthenticated). Nothing was changed.",
  );
