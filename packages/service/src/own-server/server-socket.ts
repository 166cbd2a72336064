import { chmodSync, rmSync } from "node:fs";
import { type Listener, listen, type NodeHandler } from "@flyte-secrets/http";
import type { Logger } from "pino";

export interface ServerSocketOptions {
  readonly handler: NodeHandler;
  readonly log: Logger;
}

/**
 * Listens on a Unix socket in a directory that is closed to others (0700): whoever connects is the user who runs the
 * server, and whoever answers is that user's server. Replaces a socket that a killed server has left, so the caller
 * must have made sure that no other server runs. Undefined, with a warning in the log, where no socket is possible: the
 * path is too long (107 bytes on Linux), or the file system has no sockets.
 */
export async function listenOnSocket(
  path: string,
  { handler, log }: ServerSocketOptions,
): Promise<Listener | undefined> {
  rmSync(path, { force: true });
  try {
    const listener = await listen({ handler, path, port: 0, limits: { maxConnectionsPerAddress: 0 }, log });
    // The directory is closed already; this is for those who look at the socket alone.
    chmodSync(path, 0o600);
    return listener;
  } catch (error) {
    log.warn({ err: error, path }, "no Unix socket here: commands of this user ask the TCP port for a proof instead");
    return undefined;
  }
}
