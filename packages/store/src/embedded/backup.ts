import { randomUUID } from "node:crypto";
import { existsSync, renameSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { SecretsError } from "@flyte-secrets/core";
import { toStoreError } from "../errors.ts";
import { makePrivateFile, syncDirectory, syncFile } from "../files/private-files.ts";
import { noteBackups } from "./backup-list.ts";
import { writeBackupMac } from "./backup-mac.ts";
import { StoreDatabase } from "./database.ts";
import { existingStoreDirectory, removeDatabase, type StoreDirectory } from "./directory.ts";
import { openKeyring, readKeyId } from "./keyring.ts";
import { toMasterKey } from "./master-key.ts";

export interface BackupStoreOptions {
  /** The store's data directory. */
  readonly directory: string;
  /** The file to make. One that exists is never overwritten: `invalid_argument`. */
  readonly file: string;
  /** The store's master key; absent: the one in its key file. */
  readonly masterKey?: Uint8Array;
}

/**
 * Copies a store into one file (0600), for `flyte-secrets backup`: the state of one moment, also while a server writes. The
 * values in it are sealed and the master key is not in it: keep that elsewhere, nobody can restore without it. All of it is
 * authenticated (see `backup-mac.ts`), for which the store's key is needed. The file appears under its name only when it is whole and on the
 * disk. The store remembers that it was made.
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
    await database.write(() => noteBackups(database, [{ file: target, madeAt, keyId }]));
  } catch (error) {
    removeDatabase(partial);
    throw toStoreError(error, target);
  } finally {
    database.close();
  }
}

/** Returns the id of the master key that the copy needs: a rotation may have come since. */
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
