import { existsSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import { toStoreError } from "../errors.ts";
import { assertPrivate, makeDirectory, syncDirectory } from "../files/private-files.ts";

/** The files of a store in its data directory. */
export interface StoreDirectory {
  readonly path: string;
  readonly databaseFile: string;
  readonly keyFile: string;
  /** A key that replaces {@link StoreDirectory.keyFile} next: see `master-key.ts`. */
  readonly nextKeyFile: string;
  /** The file that messages name instead of the database, if that is a temporary copy. */
  readonly copyOf?: string;
}

/** The name of a store's database in messages. */
export function databaseName({ databaseFile, copyOf }: StoreDirectory): string {
  return copyOf ?? databaseFile;
}

/** The file of a former master key, which is kept for backups until it is discarded. */
export function keptKeyFile({ keyFile }: StoreDirectory, keyId: string): string {
  return `${keyFile}.${keyId}`;
}

/**
 * The data directory of a store, which is created (0700) if it is missing. `unsafe_permissions` if others can access
 * the directory or it belongs to another user.
 */
export function prepareStoreDirectory(path: string): StoreDirectory {
  const directory = toStoreDirectory(path);
  try {
    // The entry of a new directory must be durable too.
    if (makeDirectory(directory.path)) {
      syncDirectory(dirname(directory.path));
    }
    assertPrivate(directory.path, statSync(directory.path), "700");
  } catch (error) {
    throw toStoreError(error, directory.path);
  }
  return directory;
}

/**
 * As {@link prepareStoreDirectory} for an existing store: nothing is created, and it is `invalid_argument` if there is
 * none.
 */
export function existingStoreDirectory(path: string): StoreDirectory {
  const directory = toStoreDirectory(path);
  if (!existsSync(directory.databaseFile)) {
    throw new SecretsError("invalid_argument", `directory: there is no store in ${directory.path}.`);
  }
  return prepareStoreDirectory(path);
}

function toStoreDirectory(path: string): StoreDirectory {
  const absolute = resolve(path);
  return {
    path: absolute,
    databaseFile: join(absolute, "store.db"),
    keyFile: join(absolute, "master.key"),
    nextKeyFile: join(absolute, "master.key.new"),
  };
}

/** Deletes a database that no process has open, with SQLite's files beside it. */
export function removeDatabase(databaseFile: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${databaseFile}${suffix}`, { force: true });
}
