import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SecretsError } from "@flyte-secrets/core";
import { hasFileOpen } from "../embedded/holders.ts";
import { isBusy, toStoreError } from "../errors.ts";
import { makePrivateFile } from "../files/private-files.ts";
import { readAnnouncement, type ServerAnnouncement } from "./server-file.ts";

/** Longer than somebody who only looks has it. */
const WAIT_MS = 100;

/**
 * Makes this process the only server on a data directory until it calls the function that is returned, or ends in whatever way: the
 * lock is the system's (SQLite's, on `server.lock`), so that a killed process leaves none.
 * @throws SecretsError `listen_failed` when another server has it; as the store for a directory that can't be written.
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

/** Whether a server has the directory, this process or another: told by the lock, so a killed one has nothing any more. */
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

/** Throws what {@link lockDirectory} throws when another server has the directory, and takes nothing. */
export function assertNoServer(directory: string): void {
  if (isDirectoryLocked(directory)) throw otherServer(directory);
}

/** The file whose lock a server holds. */
export function lockFile(directory: string): string {
  return join(directory, "server.lock");
}

function otherServer(directory: string, cause?: unknown): SecretsError {
  return new SecretsError(
    "listen_failed",
    `another server runs on ${directory}: flyte-secrets serve --status tells of it, and --stop ends it; ` +
      "or give this one a data directory of its own (secret.store.path)",
    { cause },
  );
}

/** The server that has a data directory, as far as it has announced itself. */
export type RunningServer = Partial<Pick<ServerAnnouncement, "endpoint" | "pid" | "startedAt" | "logFile">>;

/**
 * The server that runs on the directory, empty while it is starting; undefined when there is none, whatever a killed one has
 * left.
 */
export function findRunningServer(directory: string): RunningServer | undefined {
  return isDirectoryLocked(directory) ? (readAnnouncement(directory) ?? {}) : undefined;
}

/**
 * Asks the server on the directory to stop, as SIGTERM does. Its process is known by the lock file that it has open: a
 * number that another process has got meanwhile, or that means another one in this container, gets no signal.
 * @returns its process number.
 * @throws SecretsError `call_refused` when the process can't be told for certain.
 */
export function askServerToStop(directory: string, { pid }: RunningServer): number {
  if (pid === undefined || !hasFileOpen(String(pid), lockFile(directory))) {
    const which = pid === undefined ? "the server" : `the server (process ${pid})`;
    throw new SecretsError(
      "call_refused",
      `${which} on ${directory} can't be told from other processes here: it is starting, or runs in another container, or this ` +
        "system doesn't say which files a process has open. Try again, or stop it where it was started",
    );
  }
  process.kill(pid, "SIGTERM");
  return pid;
}
