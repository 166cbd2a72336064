import { randomUUID } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { SecretsError } from "@flyte-secrets/core";
import { existingStoreDirectory, makePrivateFile, syncDirectory } from "./store-directory.ts";
import { toStoreError } from "./store-error.ts";

export interface BackupStoreOptions {
  /** The store's data directory. */
  readonly directory: string;
  /** The file to make. One that exists is never overwritten: `invalid_argument`. */
  readonly file: string;
}

/**
 * Copies a store into one file (0600), for `flyte-secrets backup`: the state of one moment, also while a server writes. The
 * values in it are sealed and the master key is not in it: keep that elsewhere, nobody can restore without it. The file
 * appears under its name only when it is whole and on the disk.
 */
export async function backupStore({ directory, file }: BackupStoreOptions): Promise<void> {
  const { databaseFile } = existingStoreDirectory(directory);
  const target = resolve(file);
  const partial = `${target}.${randomUUID()}.partial`;
  if (existsSync(target)) {
    throw new SecretsError("invalid_argument", `file: ${target} exists already. Choose another name.`);
  }
  try {
    makePrivateFile(partial);
    await copyDatabase(databaseFile, partial);
    renameSync(partial, target);
    syncDirectory(dirname(target));
  } catch (error) {
    rmSync(partial, { force: true });
    throw toStoreError(error, target);
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
  const descriptor = openSync(to, "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
