import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { hasSystemCode, SecretsError } from "@flyte-secrets/core";

/**
 * Creates a directory (0700) and its missing parents; returns whether it was missing. It does not use `mkdir` with
 * `recursive`, which never ends where the system returns ENOENT below an existing directory, as in `/proc` (seen on
 * Node 24).
 */
export function makeDirectory(path: string): boolean {
  if (existsSync(path)) return false;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it since.
    if (!existsSync(path)) throw error;
  }
  return true;
}

/** The missing directories of a path, innermost first: those that {@link makeDirectory} would create. */
export function missingDirectories(path: string): readonly string[] {
  if (existsSync(path)) return [];
  const parent = dirname(path);
  return [path, ...(parent === path ? [] : missingDirectories(parent))];
}

/** Deletes directories in this order, up to the first that is missing or not empty. */
export function removeEmptyDirectories(paths: readonly string[]): void {
  try {
    for (const path of paths) rmdirSync(path);
  } catch {
    // It is used by another process by now, or was never created.
  }
}

/**
 * The text of a file that is private to this user; undefined if there is none, empty if it is not a regular file.
 * `unsafe_permissions` if it is a symbolic link, belongs to another user or can be accessed by others.
 */
export function readPrivateFile(path: string): string | undefined {
  let descriptor: number;
  try {
    // Without O_NONBLOCK a pipe in its place would block the whole process.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (hasSystemCode(error, "ENOENT")) return undefined;
    if (!hasSystemCode(error, "ELOOP")) throw error;
    throw new SecretsError("unsafe_permissions", `${path} is a symbolic link. Put the file itself there.`);
  }
  try {
    const stats = fstatSync(descriptor);
    assertPrivate(path, stats, "600");
    return stats.isFile() ? readFileSync(descriptor, "utf8") : "";
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Writes a file (0600) atomically and durably. With `replace: false` an existing file is left as it is and false is
 * returned: of several processes that try at the same time, one writes.
 */
export function writePrivateFile(
  path: string,
  content: string | Uint8Array,
  options: { readonly replace: boolean },
): boolean {
  const draft = `${path}.${randomUUID()}`;
  const descriptor = openSync(draft, "wx", 0o600);
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
    if (options.replace) renameSync(draft, path);
    else linkSync(draft, path);
    syncDirectory(dirname(path));
    return true;
  } catch (error) {
    if (!options.replace && hasSystemCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    closeSync(descriptor);
    rmSync(draft, { force: true });
  }
}

/**
 * Creates an empty private file unless it exists. SQLite gives the files beside a database the mode of the database, so
 * the mode must be right before SQLite opens it. Never opens an existing file: closing any descriptor of a file
 * releases all POSIX locks that this process holds on it, also those of an open store
 * (https://sqlite.org/howtocorrupt.html, 2.2).
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

/**
 * Throws `unsafe_permissions` unless only this user can access the file or directory; the remedy is a chmod to `mode`.
 */
export function assertPrivate(path: string, stats: Stats, mode: "600" | "700"): void {
  const user = process.geteuid?.();
  if (user === undefined) return; // Windows has neither owners nor modes to check here.
  if (stats.uid !== user) {
    throw new SecretsError(
      "unsafe_permissions",
      `${path} belongs to user ${stats.uid} and this process runs as user ${user}. Run as that user, or: ` +
        `chown ${user} ${quote(path)}`,
    );
  }
  if ((stats.mode & 0o077) !== 0) {
    throw new SecretsError(
      "unsafe_permissions",
      `${path} is open to other users (mode ${(stats.mode & 0o777).toString(8).padStart(4, "0")}). Run: ` +
        `chmod ${mode} ${quote(path)}`,
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

/** A path as one word of a shell command. */
function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
