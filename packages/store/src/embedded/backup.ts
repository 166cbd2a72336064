import { randomUUID } from "node:crypto";
import { existsSync, renameSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { SecretsError } from "@flyte-secrets/core";
import { toStoreError } from "../errors.ts";
import { makePrivateFile, syncDirectory, syncFile } from "../files/private-files.ts";
import { recordBackups } from "./backup-list.ts";
import { writeBackupMac } from "./backup-mac.ts";
import { StoreDatabase } from "./database.ts";
import { existingStoreDirectory, removeDatabase, type StoreDirectory } from "./directory.ts";
import { openKeyring, readKeyId } from "./keyring.ts";
import { toMasterKey } from "./master-key.ts";

export interface BackupStoreOptions {
  /** The store's data directory. */
  readonly directory: string;
  /** The file to create. An existing file is never overwritten: `invalid_argument`. */
  readonly file: string;
  /** The store's master key. Default: the one in its key file. */
  readonly masterKey?: Uint8Array;
}

/**
 * Copies a store into one file (0600), for `flyte-secrets backup`: a consistent state, also while a server writes. The
 * values in it are sealed, and the master key, without which it can't be restored, is not in it. The whole file is
 * authenticated with the store's key (see `backup-mac.ts`). It appears under its name only when it is complete and
 * durable. The store records the backup.
 */
export async function backupStore({ directory, file, masterKey }: BackupStoreOptions): Promise<void> {
  const source = existingStoreDirectory(directory);
  const target = resolve(file);
  const partial = `${target}.${randomUUID()}.partial`;
  if (existsSync(target)) {
    throw new SecretsError("invalid_argument", `file: ${target} exists already. Choose another name.`);
  }
  const database = await StoreDatabase.open(source);
  try {
    const { backupKey } = await openKeyring(database, masterKey && toMasterKey(masterKey));
    makePrivateFile(partial);
    await copyDatabase(source.databaseFile, partial);
    const madeAt = new Date();
    const keyId = await authenticate({ ...source, databaseFile: partial, copyOf: target }, backupKey, madeAt);
    syncFile(partial);
    renameSync(partial, target);
    syncDirectory(dirname(target));
    await database.write(() => recordBackups(database, [{ file: target, madeAt, keyId }]));
  } catch (error) {
    removeDatabase(partial);
    throw toStoreError(error, target);
  } finally {
    database.close();
  }
}

/** Returns the id of the master key that the copy needs, which may have been rotated since. */
async function authenticate(copy: StoreDirectory, key: Uint8Array, madeAt: Date): Promise<string> {
  const database = await StoreDatabase.open(copy);
  try {
    await database.write(() => writeBackupMac(database, key, madeAt));
    return await readKeyId(database);
  } finally {
    database.close();
  }
}

async function copyDatabase(from: string, to: string): Promise<void> {
  const source = new DatabaseSync(from, { timeout: 5_000 });
  try {
    // All pages in one step: in smaller ones every write of another process would start the copy over.
    await backup(source, to, { rate: 0x7fff_ffff });
  } finally {
    source.close();
  }
}
