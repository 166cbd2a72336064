import { randomUUID } from "node:crypto";
import { chmodSync, constants, copyFileSync, renameSync, rmSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import { toStoreError } from "../errors.ts";
import {
  makePrivateFile,
  missingDirectories,
  removeEmptyDirectories,
  syncDirectory,
  syncFile,
} from "../files/private-files.ts";
import { assertBackupKey } from "./backup-key.ts";
import { type KnownBackup, recordBackups } from "./backup-list.ts";
import { readBackupMac } from "./backup-mac.ts";
import { compareStores, type StoreDifference } from "./compare.ts";
import { StoreDatabase } from "./database.ts";
import { prepareStoreDirectory, removeDatabase, type StoreDirectory } from "./directory.ts";
import { openKeyring, readKeyId, reopenKeyring, takeKeptKey } from "./keyring.ts";
import { findHolders, lockStore } from "./lock.ts";
import { toMasterKey } from "./master-key.ts";
import { BOUND_ROWS_VERSION } from "./schema.ts";

export interface RestoreStoreOptions {
  /** A file that `backupStore` made. */
  readonly file: string;
  /** The data directory to restore to, made where it is missing. */
  readonly directory: string;
  /**
   * The key of the backed-up store; absent: the one in the directory's `master.key`, or a former one that is kept
   * there.
   */
  readonly masterKey?: Uint8Array;
  /** Whether a store that is there may go. Default false: `invalid_argument`, with what it would lose. */
  readonly replace?: boolean;
  /**
   * Whether to take a file without authentication, as versions before this made them. Default false:
   * `invalid_argument`.
   */
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
 * Replaces the store of a directory by a backup, for `flyte-secrets restore`. Before anything is changed, the
 * structure, schema and authentication of the backup are checked, and a master key must open it; then the database is
 * replaced in one step. A store that a process has open is not replaced: `store_unavailable`. The backups that the
 * replaced store has recorded stay recorded.
 */
export async function restoreStore(options: RestoreStoreOptions): Promise<RestoreReport> {
  const { file, directory } = options;
  const made = missingDirectories(resolve(directory));
  let done = false;
  try {
    const target = prepareStoreDirectory(directory);
    const databaseFile = `${target.databaseFile}.${randomUUID()}.restoring`;
    const report = await restoreVia({ ...target, databaseFile, copyOf: file }, target, options);
    done = true;
    return report;
  } catch (error) {
    throw toStoreError(error, file);
  } finally {
    if (!done) removeEmptyDirectories(made);
  }
}

async function restoreVia(
  candidate: StoreDirectory,
  target: StoreDirectory,
  options: RestoreStoreOptions,
): Promise<RestoreReport> {
  try {
    copyFileSync(resolve(options.file), candidate.databaseFile, constants.COPYFILE_EXCL);
    const { report, backup } = await verify(candidate, target, options);
    assertReplaceable(target, report, options);
    await putInPlace(candidate, target, { ...options, backup });
    return report;
  } finally {
    removeDatabase(candidate.databaseFile);
  }
}

interface Verified {
  readonly report: RestoreReport;
  readonly backup: KnownBackup;
}

async function verify(
  candidate: StoreDirectory,
  target: StoreDirectory,
  { file, masterKey, unauthenticated = false }: RestoreStoreOptions,
): Promise<Verified> {
  chmodSync(candidate.databaseFile, 0o600);
  const given = masterKey && toMasterKey(masterKey);
  const database = await StoreDatabase.open(candidate);
  try {
    const version = database.schemaVersion();
    if (version === 0) throw new SecretsError("store_damaged", "The backup is empty.");
    database.assertIntact();
    database.assertSchema();
    const keyId = await readKeyId(database);
    assertBackupKey(target, { file, keyId, given });
    const madeAt =
      version < BOUND_ROWS_VERSION ? undefined : readBackupMac(database, reopenKeyring(database, given).backupKey);
    if (!madeAt && !unauthenticated) throw notAuthenticated(file);
    await takeKeptKey(database, given);
    await openKeyring(database, given);
    await database.write(() => database.statement("DELETE FROM backup_mac").run());
    return {
      report: { madeAt, difference: await compareStores(target, database) },
      // An old file's own age is the best there is to know of it.
      backup: { file: resolve(file), madeAt: madeAt ?? statSync(file).mtime, keyId },
    };
  } finally {
    database.close();
  }
}

async function putInPlace(
  candidate: StoreDirectory,
  target: StoreDirectory,
  { backup, replace }: RestoreStoreOptions & Pick<Verified, "backup">,
): Promise<void> {
  makePrivateFile(target.databaseFile);
  const { backups, release } = lockStore(target);
  try {
    if (!replace && holdsStore(target)) throw holdsStoreAlready(target, "");
    // Under the lock: nobody makes another one meanwhile, of which the store would know nothing.
    await addBackups(candidate, [...backups, backup]);
    syncFile(candidate.databaseFile);
    // A write-ahead log that outlives its database would be played into the new one.
    rmSync(`${target.databaseFile}-wal`, { force: true });
    rmSync(`${target.databaseFile}-shm`, { force: true });
    renameSync(candidate.databaseFile, target.databaseFile);
    syncDirectory(target.path);
  } finally {
    release();
  }
}

async function addBackups(candidate: StoreDirectory, backups: readonly KnownBackup[]): Promise<void> {
  const database = await StoreDatabase.open(candidate);
  try {
    await database.write(() => recordBackups(database, backups));
  } finally {
    database.close();
  }
}

function assertReplaceable(target: StoreDirectory, report: RestoreReport, { replace }: RestoreStoreOptions): void {
  if (!replace && holdsStore(target)) {
    throw holdsStoreAlready(target, ` ${describeRestore(report)}`, findHolders(target));
  }
}

function holdsStore({ databaseFile }: StoreDirectory): boolean {
  return (statSync(databaseFile, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function holdsStoreAlready(target: StoreDirectory, report: string, holders = ""): SecretsError {
  const remedy = holders
    ? `It is in use by ${holders}. Restore to another directory, or stop what has it open and replace it (--replace).`
    : "Restore to another directory, or replace it (--replace).";
  return new SecretsError("invalid_argument", `directory: ${target.path} holds a store already.${report} ${remedy}`);
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
    `file: nothing in ${file} proves that it is as it was made: an earlier version made it, or it is no file of ` +
      `\`flyte-secrets backup\`. ` +
      "If you know where it was kept, take it all the same (--unauthenticated). Nothing was changed.",
  );
