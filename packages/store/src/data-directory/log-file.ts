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

/** Not blocked by a pipe that nobody reads, and not led elsewhere by a link. */
const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;
const SAFELY = (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0);

/** How an entry of this package's logger begins: as JSON, as Google Cloud has it, and as text; or Node's own warnings. */
const FIRST_ENTRY =
  /^(\{"level":"[a-z]+","time":"|\{"severity":"[A-Z]+","timestamp":"|\d{4}-\d\d-\d\dT[\d:.]+Z [A-Z]+ |\(node:\d+\) )/;

/** The log of a server in the background, in its data directory. */
export function serverLogFile(directory: string): string {
  return join(directory, "server.log");
}

/**
 * A descriptor to add to the log with: a new file, or a log that a server has written before, for this user alone (0600).
 * Nothing else is touched: neither a file of the data directory, nor a file of other content, nor what would be overwritten
 * when the log is full.
 * @throws SecretsError `usage` for such a file and for a place where no file can be; as a store does when `server.log` can't be written.
 */
export function openLog(file: string, directory: string): number {
  // One in the data directory has its name alone for a proof: a server that crashed may have written anything.
  const isOurs = file === serverLogFile(directory);
  assertOutside(file, directory);
  if (!isOurs) assertReplaceable(`${file}.1`);
  let descriptor: number | undefined;
  try {
    descriptor = addTo(file);
    assertOwnFile(file, descriptor);
    if (!isOurs) assertLog(file, descriptor);
    fchmodSync(descriptor, 0o600);
    return descriptor;
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw isOurs ? toStoreError(error, file) : unusable(file, error);
  }
}

/** A descriptor to add to the file with, whatever is in it; a new one is for this user alone. */
export function addTo(file: string): number {
  return openSync(file, O_RDWR | O_APPEND | O_CREAT | SAFELY, 0o600);
}

/** The data directory holds keys and the store, by these names and others: one name there is the log's. */
function assertOutside(file: string, directory: string): void {
  const place = join(realPath(dirname(file)), basename(file));
  const data = realPath(directory);
  if (place.startsWith(`${data}${sep}`) && place !== serverLogFile(data)) {
    throw refused(file, "it is in the data directory, where only server.log is a log");
  }
}

/** What is there when a full log becomes `FILE.1`. */
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
  if (!stats.isFile()) throw refused(file, "it is no regular file");
  const user = process.geteuid?.();
  if (user !== undefined && stats.uid !== user) throw refused(file, `it belongs to user ${stats.uid}`);
}

function assertLog(file: string, descriptor: number): void {
  const start = Buffer.alloc(64);
  const read = readSync(descriptor, start, 0, start.length, 0);
  if (read > 0 && !FIRST_ENTRY.test(start.toString("utf8", 0, read))) {
    throw refused(file, "it holds something else than a log of this server");
  }
}

function refused(file: string, why: string): SecretsError {
  return new SecretsError(
    "usage",
    `--log-file: ${escapeControls(file)} can't be the log: ${why}. Nothing was written; choose another`,
  );
}

/** Where they say more of a log than of any file. */
const REASONS = {
  ELOOP: "it is a symbolic link",
  ENOENT: "its directory does not exist",
  ENOTDIR: "a part of the path is no directory",
  ENXIO: "it is no regular file",
};

function unusable(file: string, error: unknown): unknown {
  if (isSecretsError(error) || !(error instanceof Error && "code" in error)) return error;
  return refused(file, systemReason(error, REASONS));
}

/** The path behind all links; of one that isn't there, as it is written. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** With the file before it, a log takes twice as much. */
const MAX_BYTES = 5 * 1024 * 1024;

export interface RotatingLogOptions {
  /** The server's data directory: see {@link openLog}. */
  readonly directory: string;
  /** Default 5 MiB. */
  readonly maxBytes?: number;
}

/**
 * A log in a file for this user alone (0600), which goes on where it ends. A full one becomes `FILE.1`, in place of the one
 * before, and a new one begins. A line that can't be written is lost: a full disk stops no server.
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
    const next = addTo(file);
    // Only now: a closed number is soon another file's.
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
        // As said above.
      }
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}
