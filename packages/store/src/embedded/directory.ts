import { existsSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import { toStoreError } from "../errors.ts";
import { assertPrivate, makeDirectory, syncDirectory } from "../files/private-files.ts";

/** Where the parts of a store lie in its data directory. */
export interface StoreDirectory {
  readonly path: string;
  readonly databaseFile: string;
  readonly keyFile: string;
  /** A key that is about to become {@link StoreDirectory.keyFile}: see `master-key.ts`. */
  readonly nextKeyFile: string;
  /** The file that messages name instead of the database, which is a passing copy of it. */
  readonly copyOf?: string;
}

/** What messages call a store's database. */
export function databaseName({ databaseFile, copyOf }: StoreDirectory): string {
  return copyOf ?? databaseFile;
}

/** Where a master key stays after another one has taken its place, until it is discarded: backups may need it. */
export function keptKeyFile({ keyFile }: StoreDirectory, keyId: string): string {
  return `${keyFile}.${keyId}`;
}

/**
 * The data directory of a store, made (0700) where it is missing. `unsafe_permissions` when the directory is open to others
 * or belongs to somebody else.
 */
export function prepareStoreDirectory(path: string): StoreDirectory {
  const directory = toStoreDirectory(path);
  try {
    // The entry of a new directory must survive a power cut like what is written into it.
    if (makeDirectory(directory.path)) {
      syncDirectory(dirname(directory.path));
    }
    assertPrivate(directory.path, statSync(directory.path), "700");
  } catch (error) {
    throw toStoreError(error, directory.path);
  }
  return directory;
}

/** Like {@link prepareStoreDirectory} for a store that exists: nothing is made, and `invalid_argument` where there is none. */
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

/** Removes a database that nobody has open, and SQLite's files beside it. */
export function removeDatabase(databaseFile: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${databaseFile}${suffix}`, { force: true });
}
