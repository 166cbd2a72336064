import { rmSync } from "node:fs";
import { join } from "node:path";
import { writePrivateFile } from "../store/private-file.ts";
import { toStoreError } from "../store/store-error.ts";

/** What a data directory says of the server that runs on it. */
export interface ServerAnnouncement {
  /** Its TCP address, such as `http://127.0.0.1:8093`. */
  readonly endpoint: string;
  readonly pid: number;
  /** Where there is no socket: the key of its {@link ServerProof}. */
  readonly proofKey?: string | undefined;
}

/**
 * Announces this process's server in `server.json` of its data directory. It tells people and tools the address, and is no proof that
 * the server still runs: CLI and SDK trust the socket beside it, or the proof. The caller holds the directory's lock.
 * @returns what takes the announcement back.
 */
export function announceServer(directory: string, server: ServerAnnouncement): () => void {
  const path = join(directory, "server.json");
  try {
    writePrivateFile(path, `${JSON.stringify(server)}\n`, { replace: true });
  } catch (error) {
    throw toStoreError(error, path);
  }
  return () => rmSync(path, { force: true });
}
