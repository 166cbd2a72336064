import { SecretsError } from "@flyte-secrets/core";
import { hasFileOpen } from "../embedded/store-holders.ts";
import { isDirectoryLocked, lockFile } from "./lock-directory.ts";
import { readAnnouncement, type ServerAnnouncement } from "./server-file.ts";

export { assertNoServer, isDirectoryLocked } from "./lock-directory.ts";

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
