import { createHmac, randomBytes } from "node:crypto";
import { chmodSync, rmSync } from "node:fs";
import { type Listener, listen, type NodeHandler, reply } from "@flyte-secrets/http";
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

/** The path of the challenge, with 32 random bytes in hex as `nonce`. */
const REQUEST = /^\/server-proof\?nonce=([0-9a-f]{64})$/;

/** Proof of identity of a server on a TCP port, for clients of the user who runs it. */
export interface ServerProof {
  /** The key, for the announcement in the data directory, which only that user can read. New for each start. */
  readonly key: string;
  /**
   * A handler that answers challenges with the HMAC-SHA256 of the nonce under the key in hex, and passes other requests
   * to `handler`.
   */
  wrap(handler: NodeHandler): NodeHandler;
}

/** Creates the proof of a server whose data directory cannot hold a socket. */
export function createServerProof(): ServerProof {
  const key = randomBytes(32).toString("base64url");
  return {
    key,
    wrap: (handler) => (req, res) => {
      const nonce = REQUEST.exec(req.url ?? "")?.[1];
      if (nonce === undefined) return handler(req, res);
      reply({ req, res }, { status: 200, text: createHmac("sha256", key).update(nonce).digest("hex") });
    },
  };
}
