import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { escapeControls, hasSystemCode, isSecretsError, SecretsError, systemReason } from "@flyte-secrets/core";
import { toStoreError } from "../errors.ts";

/** Opening does not block on a pipe without a reader and does not follow a symbolic link. */
const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;
const SAFELY = (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0);

/** The beginning of a log entry: JSON, Google Cloud's JSON or text; or of a warning of Node itself. */
const FIRST_ENTRY =
  /^(\{"level":"[a-z]+","time":"|\{"severity":"[A-Z]+","timestamp":"|\d{4}-\d\d-\d\dT[\d:.]+Z [A-Z]+ |\(node:\d+\) )/;

/** The log file of a background server, in its data directory. */
export function serverLogFile(directory: string): string {
  return join(directory, "server.log");
}

/**
 * Opens a log file for appending: a new file, or one that a server has written before. It is private to this user
 * (0600). No other file is opened or, when the log is rotated, overwritten: neither one of the data directory nor one
 * with other content.
 * @throws SecretsError `usage` if the file cannot be a log; a store's error if `server.log` of the directory can't be
 * written.
 */
export function openLog(file: string, directory: string): number {
  // In the data directory the name is proof enough: a server that crashed may have written anything to it.
  const isOurs = file === serverLogFile(directory);
  assertOutside(file, directory);
  if (!isOurs) assertReplaceable(`${file}.1`);
  let descriptor: number | undefined;
  try {
    descriptor = openForAppend(file);
    assertOwnFile(file, descriptor);
    if (!isOurs) assertLog(file, descriptor);
    fchmodSync(descriptor, 0o600);
    return descriptor;
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw isOurs ? toStoreError(error, file) : unusable(file, error);
  }
}

/** Opens a file for appending, whatever its content. A new file is private to this user. */
export function openForAppend(file: string): number {
  return openSync(file, O_RDWR | O_APPEND | O_CREAT | SAFELY, 0o600);
}

/** The data directory holds keys and the store; only `server.log` is a log there. */
function assertOutside(file: string, directory: string): void {
  const place = join(realPath(dirname(file)), basename(file));
  const data = realPath(directory);
  if (place.startsWith(`${data}${sep}`) && place !== serverLogFile(data)) {
    throw refused(file, "it is in the data directory, where only server.log is a log");
  }
}

/** The file that is overwritten when a full log becomes `FILE.1`. */
function assertReplaceable(file: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, O_RDONLY | SAFELY);
    assertOwnFile(file, descriptor);
    assertLog(file, descriptor);
  } catch (error) {
    if (hasSystemCode(error, "ENOENT") || hasSystemCode(error, "ENOTDIR")) return;
    throw unusable(file, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function assertOwnFile(file: string, descriptor: number): void {
  const stats = fstatSync(descriptor);
  if (!stats.isFile()) throw refused(file, "it is not a regular file");
  const user = process.geteuid?.();
  if (user !== undefined && stats.uid !== user) throw refused(file, `it belongs to user ${stats.uid}`);
}

function assertLog(file: string, descriptor: number): void {
  const start = Buffer.alloc(64);
  const read = readSync(descriptor, start, 0, start.length, 0);
  if (read > 0 && !FIRST_ENTRY.test(start.toString("utf8", 0, read))) {
    throw refused(file, "it has content that is not a log of this server");
  }
}

function refused(file: string, why: string): SecretsError {
  return new SecretsError(
    "usage",
    `--log-file: ${escapeControls(file)} can't be the log: ${why}. Nothing was written; choose another`,
  );
}

/** Reasons that are clearer for a log than those for any file. */
const REASONS = {
  ELOOP: "it is a symbolic link",
  ENOENT: "its directory does not exist",
  ENOTDIR: "a part of the path is not a directory",
  ENXIO: "it is not a regular file",
};

function unusable(file: string, error: unknown): unknown {
  if (isSecretsError(error) || !(error instanceof Error && "code" in error)) return error;
  return refused(file, systemReason(error, REASONS));
}

/** The path with all links resolved; the path as it is written if it doesn't exist. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** The rotated file takes as much again. */
const MAX_BYTES = 5 * 1024 * 1024;

export interface RotatingLogOptions {
  /** The server's data directory: see {@link openLog}. */
  readonly directory: string;
  /** Default 5 MiB. */
  readonly maxBytes?: number;
}

/**
 * A log in a private file (0600), which is appended to. A full one is renamed to `FILE.1`, replacing the one before,
 * and a new one is started. A line that can't be written is lost: a full disk must not stop a server.
 * @throws SecretsError as {@link openLog} does.
 */
export function rotatingLog(
  file: string,
  { directory, maxBytes = MAX_BYTES }: RotatingLogOptions,
): { write(line: string): unknown } & Disposable {
  let descriptor = openLog(file, directory);
  let size = fstatSync(descriptor).size;
  const rotate = () => {
    if (existsSync(file)) renameSync(file, `${file}.1`);
    const next = openForAppend(file);
    // Closed last, because its number is soon reused for another file.
    closeSync(descriptor);
    descriptor = next;
    size = 0;
  };
  return {
    write(line) {
      try {
        if (size > 0 && size + Buffer.byteLength(line) > maxBytes) rotate();
        size += writeSync(descriptor, line);
      } catch {
        // A line that can't be written is lost.
      }
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}
