import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { NodeHandler } from "@flyte-secrets/http";
import { type Listener, listen } from "@flyte-secrets/http";
import type { Logger } from "pino";

export interface ServerSocketOptions {
  readonly handler: NodeHandler;
  readonly log: Logger;
}

/** A listener that only the user of the data directory reaches, and its address. */
export interface ServerSocket extends Listener {
  readonly path: string;
}

/**
 * Listens on the Unix socket `server.sock` of a data directory, which is closed to others (0700): whoever connects is the user who
 * runs the server, and whoever answers is that user's server. The caller holds the directory's lock. Undefined, with a line in the log, where there can be none: the path is too long (107 bytes on
 * Linux), or the file system has no sockets.
 */
export async function listenOnSocket(
  directory: string,
  { handler, log }: ServerSocketOptions,
): Promise<ServerSocket | undefined> {
  const path = join(directory, "server.sock");
  // What a killed server has left: its socket, and an address that may be somebody else's by now.
  for (const file of [path, join(directory, "server.json")]) rmSync(file, { force: true });
  try {
    const listener = await listen({ handler, path, port: 0, limits: { maxConnectionsPerAddress: 0 }, log });
    // The directory is closed already; this is for those who look at the socket alone.
    chmodSync(path, 0o600);
    return { ...listener, path };
  } catch (error) {
    log.warn({ err: error, path }, "no Unix socket here: commands of this user ask the TCP port for a proof instead");
    return undefined;
  }
}
