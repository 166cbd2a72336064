import { closeSync, existsSync, fsyncSync, openSync, rmSync, type Stats, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { hasSystemCode, SecretsError } from "@flyte-secrets/core";
import { makeDirectory } from "../files/make-directory.ts";
import { toStoreError } from "../store-error.ts";

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

/** Throws `unsafe_permissions` unless only this user can reach the file or directory; `mode` is what the remedy sets. */
export function assertPrivate(path: string, stats: Stats, mode: "600" | "700"): void {
  const user = process.geteuid?.();
  if (user === undefined) return; // Windows has neither owners nor modes to check here.
  if (stats.uid !== user) {
    throw new SecretsError(
      "unsafe_permissions",
      `${path} belongs to user ${stats.uid} and this process runs as user ${user}. Run as that user, or: chown ${user} ${quote(path)}`,
    );
  }
  if ((stats.mode & 0o077) !== 0) {
    throw new SecretsError(
      "unsafe_permissions",
      `${path} is open to other users (mode ${(stats.mode & 0o777).toString(8).padStart(4, "0")}). Run: chmod ${mode} ${quote(path)}`,
    );
  }
}

/** Makes renames and new files in a directory durable. */
export function syncDirectory(path: string): void {
  sync(path, "r");
}

/** Makes a file's content durable. Never one of a database that is open: see {@link makePrivateFile}. */
export function syncFile(path: string): void {
  sync(path, "r+");
}

function sync(path: string, flags: string): void {
  const descriptor = openSync(path, flags);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Removes a database that nobody has open, and SQLite's files beside it. */
export function removeDatabase(databaseFile: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${databaseFile}${suffix}`, { force: true });
}

/**
 * Makes an empty private file unless one is there. SQLite gives its side files the mode of the database, so the mode must be
 * right before SQLite sees the file. Never opens a file that exists: closing any descriptor of a file releases all POSIX
 * locks that this process holds on it, those of an open store too (https://sqlite.org/howtocorrupt.html, 2.2).
 */
export function makePrivateFile(path: string): "made" | "exists" {
  try {
    closeSync(openSync(path, "wx", 0o600));
    return "made";
  } catch (error) {
    if (hasSystemCode(error, "EEXIST")) return "exists";
    throw error;
  }
}

/** A path as one word of a shell command. */
function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
