import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { toStoreError } from "../errors.ts";
import { writePrivateFile } from "../files/private-files.ts";

/** What a server announces about itself in its data directory. */
export interface ServerAnnouncement {
  /** Its TCP address, such as `http://127.0.0.1:8093`. */
  readonly endpoint: string;
  readonly pid: number;
  /** In ISO 8601. */
  readonly startedAt?: string | undefined;
  /** The file that it writes its log to, if it does. */
  readonly logFile?: string | undefined;
  /** The key of its server proof, if it has no socket. */
  readonly proofKey?: string | undefined;
}

/**
 * Announces this process's server in `server.json` of its data directory, where people and tools find its address. It
 * does not prove that the server still runs: CLI and SDK trust the socket beside it, or the server proof. The caller
 * must hold the directory's lock.
 * @returns a function that removes the announcement.
 */
export function announceServer(directory: string, server: ServerAnnouncement): () => void {
  const path = serverFile(directory);
  try {
    writePrivateFile(path, `${JSON.stringify(server)}\n`, { replace: true });
  } catch (error) {
    throw toStoreError(error, path);
  }
  return () => withdrawAnnouncement(directory);
}

/** Removes the announcement of a server that has ended, if there is one. */
export function withdrawAnnouncement(directory: string): void {
  rmSync(serverFile(directory), { force: true });
}

/** What a server has announced, if it can be read. The directory's lock shows whether it still runs. */
export function readAnnouncement(directory: string): ServerAnnouncement | undefined {
  try {
    const { endpoint, pid, startedAt, logFile }: { [key: string]: unknown } = JSON.parse(
      readFileSync(serverFile(directory), "utf8"),
    );
    if (typeof endpoint !== "string" || !Number.isSafeInteger(pid)) return undefined;
    return {
      endpoint,
      pid: Number(pid),
      ...(typeof startedAt === "string" && { startedAt }),
      ...(typeof logFile === "string" && { logFile }),
    };
  } catch {
    return undefined;
  }
}

const serverFile = (directory: string): string => join(directory, "server.json");
