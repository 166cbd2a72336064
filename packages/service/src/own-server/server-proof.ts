import { createHmac, randomBytes } from "node:crypto";
import { type NodeHandler, reply } from "@flyte-secrets/http";

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
