import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { isSecretsError, SecretsError, systemReason, toAbortError } from "@flyte-secrets/core";

/** SQLite's primary result codes that are distinguished (https://sqlite.org/rescode.html). */
const SQLITE = {
  ERROR: 1,
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  NOTADB: 26,
} as const;
/** Extended code of a write that the system refused, for instance because of a quota. */
const SQLITE_IOERR_WRITE = 778;

function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error && "errcode" in error && typeof error.errcode === "number")) return undefined;
  return error.errcode;
}

/** Whether another connection holds a lock: the only failure that waiting resolves. */
export function isBusy(error: unknown): boolean {
  const primary = (sqliteCode(error) ?? 0) & 0xff;
  return primary === SQLITE.BUSY || primary === SQLITE.LOCKED;
}

/** Whether a write failed because the disk, a quota or a limit of file sizes leaves no room for it. */
export function isFull(error: unknown): boolean {
  const code = sqliteCode(error) ?? 0;
  return code === SQLITE_IOERR_WRITE || (code & 0xff) === SQLITE.FULL;
}

/**
 * Whether SQLite could not read a database that was just opened. Later the same code means that a statement is wrong.
 */
export function isUnreadable(error: unknown): boolean {
  return sqliteCode(error) === SQLITE.ERROR;
}

/** The disk has no room for a write. */
export const diskFull = (path: string, cause?: unknown) =>
  new SecretsError(
    "store_full",
    `The disk that holds ${path} takes no more: full, or at its quota or file size limit. Nothing was written; ` +
      "free space and " +
      "try again.",
    { cause },
  );

function readOnly(path: string, error: unknown): SecretsError {
  const file = readOnlySideFile(path);
  const message =
    file === undefined
      ? `${path} cannot be written by this user. Nothing was changed; ` +
        "make the directory writable or choose another (secret.store.path)."
      : `${file} cannot be written by this user. Nothing was changed; ` +
        "make it writable, or choose another data directory (secret.store.path).";
  return new SecretsError("store_read_only", message, { cause: error });
}

/** A file that SQLite keeps beside an open database and that this user cannot write, if there is one. */
function readOnlySideFile(path: string): string | undefined {
  return [`${path}-wal`, `${path}-shm`].find((file) => existsSync(file) && !isWritable(file));
}

export const damaged = (path: string, error: unknown) =>
  new SecretsError("store_damaged", `${path} is damaged or not a store of flyte-secrets. Restore an intact backup.`, {
    cause: error,
  });

const unavailable = (message: string, error: unknown) =>
  new SecretsError("store_unavailable", message, { cause: error });

/**
 * Converts an error of SQLite or the file system to a SecretsError; `path` is the file or directory that its message
 * names. A SecretsError is returned as it is, and so is any other error, which is a bug.
 */
export function toStoreError(error: unknown, path: string): unknown {
  if (isSecretsError(error)) return error;
  const code = sqliteCode(error);
  if (code !== undefined) return fromSqlite(code, error, path);
  if (!(error instanceof Error && "code" in error)) return error;
  switch (error.code) {
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return diskFull(path, error);
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return readOnly(path, error);
    case "ERR_INVALID_STATE":
      return unavailable("The store is closed.", error);
    default:
      return typeof error.code === "string" && "syscall" in error
        ? unavailable(`${path} cannot be used: ${systemReason(error, { ENOENT: "no such file or directory" })}.`, error)
        : error;
  }
}

function fromSqlite(code: number, error: unknown, path: string): SecretsError {
  if (isFull(error)) return diskFull(path, error);
  switch (code & 0xff) {
    case SQLITE.BUSY:
    case SQLITE.LOCKED:
      return unavailable(`${path} is locked by another process. Try again.`, error);
    case SQLITE.READONLY:
      return readOnly(path, error);
    case SQLITE.CORRUPT:
    case SQLITE.NOTADB:
      return damaged(path, error);
    case SQLITE.CANTOPEN:
      // Also if SQLite cannot create the files beside a readable database.
      return isWritable(dirname(path)) && readOnlySideFile(path) === undefined
        ? unavailable(`${path} cannot be opened.`, error)
        : readOnly(path, error);
    case SQLITE.IOERR:
      return unavailable(`The disk that holds ${path} reports an error (SQLite ${code}).`, error);
    default:
      return new SecretsError("internal", `The store failed (SQLite ${code}).`, { cause: error });
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Throws `canceled`, or `deadline_exceeded` when a time limit aborted, once `signal` has been aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw toAbortError(signal, "the store");
}
