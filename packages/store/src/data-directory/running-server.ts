import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SecretsError } from "@flyte-secrets/core";
import { hasFileOpen } from "../embedded/holders.ts";
import { isBusy, toStoreError } from "../errors.ts";
import { makePrivateFile } from "../files/private-files.ts";
import { readAnnouncement, type ServerAnnouncement } from "./server-file.ts";

/** Longer than a process that only checks the lock holds it. */
const WAIT_MS = 100;

/**
 * Locks a data directory, so that this process is the only server on it until it calls the returned function or ends.
 * The lock is one of the operating system (SQLite's, on `server.lock`), so a killed process leaves none.
 * @throws SecretsError `listen_failed` if another server has the lock; a store's error if the directory can't be
 * written.
 */
export function lockDirectory(directory: string): () => void {
  const path = lockFile(directory);
  try {
    makePrivateFile(path);
    const connection = new DatabaseSync(path, { timeout: WAIT_MS });
    try {
      connection.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      connection.close();
      throw error;
    }
    return () => connection.close();
  } catch (error) {
    throw isBusy(error) ? otherServer(directory, error) : toStoreError(error, path);
  }
}

/** Whether a server, of this process or another, has locked the directory. A killed process holds no lock. */
export function isDirectoryLocked(directory: string): boolean {
  const path = lockFile(directory);
  if (!existsSync(path)) return false;
  try {
    const connection = new DatabaseSync(path, { timeout: 0 });
    try {
      connection.prepare("SELECT count(*) FROM sqlite_schema").get();
      return false;
    } finally {
      connection.close();
    }
  } catch (error) {
    if (isBusy(error)) return true;
    throw toStoreError(error, path);
  }
}

/** Throws `listen_failed` as {@link lockDirectory} does if another server has the lock, without taking it. */
export function assertNoServer(directory: string): void {
  if (isDirectoryLocked(directory)) throw otherServer(directory);
}

/** The file that a server has locked. */
export function lockFile(directory: string): string {
  return join(directory, "server.lock");
}

function otherServer(directory: string, cause?: unknown): SecretsError {
  return new SecretsError(
    "listen_failed",
    `another server runs on ${directory}: flyte-secrets serve --status shows it, and --stop ends it; ` +
      "or give this one a data directory of its own (secret.store.path)",
    { cause },
  );
}

/** The server on a data directory, with what it has announced. */
export type RunningServer = Partial<Pick<ServerAnnouncement, "endpoint" | "pid" | "startedAt" | "logFile">>;

/** The server that runs on a directory; without properties while it is starting, undefined if there is none. */
export function findRunningServer(directory: string): RunningServer | undefined {
  return isDirectoryLocked(directory) ? (readAnnouncement(directory) ?? {}) : undefined;
}

/**
 * Stops the server on a directory with SIGTERM. The process is identified by the lock file that it has open, so that no
 * signal goes to another process that has the same number, be it later or in another container.
 * @returns its process number.
 * @throws SecretsError `call_refused` if the process can't be identified.
 */
export function stopServerProcess(directory: string, { pid }: RunningServer): number {
  if (pid === undefined || !hasFileOpen(String(pid), lockFile(directory))) {
    const which = pid === undefined ? "the server" : `the server (process ${pid})`;
    throw new SecretsError(
      "call_refused",
      `${which} on ${directory} can't be identified among the processes here: ` +
        "it is starting, or runs in another container, or " +
        "this system doesn't show which files a process has open. Try again, or stop it where it was started",
    );
  }
  process.kill(pid, "SIGTERM");
  return pid;
}
