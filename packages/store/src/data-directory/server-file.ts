import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { toStoreError } from "../errors.ts";
import { writePrivateFile } from "../files/private-files.ts";

/** What a data directory says of the server that runs on it. */
export interface ServerAnnouncement {
  /** Its TCP address, such as `http://127.0.0.1:8093`. */
  readonly endpoint: string;
  readonly pid: number;
  /** In ISO 8601. */
  readonly startedAt?: string | undefined;
  /** Where it writes its log, when that is a file. */
  readonly logFile?: string | undefined;
  /** Where there is no socket: the key of its {@link ServerProof}. */
  readonly proofKey?: string | undefined;
}

/**
 * Announces this process's server in `server.json` of its data directory. It tells people and tools the address, and is no proof that
 * the server still runs: CLI and SDK trust the socket beside it, or the proof. The caller holds the directory's lock.
 * @returns what takes the announcement back.
 */
export function announceServer(directory: string, server: ServerAnnouncement): () => void {
  const path = serverFile(directory);
  try {
    writePrivateFile(path, `${JSON.stringify(server)}\n`, { replace: true });
  } catch (error) {
    throw toStoreError(error, path);
  }
  return () => takeBackAnnouncement(directory);
}

/** Removes the announcement of a server that has ended, if there is one. */
export function takeBackAnnouncement(directory: string): void {
  rmSync(serverFile(directory), { force: true });
}

/** What a server has announced, if it can be read. Whether it still runs, the directory's lock tells. */
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
