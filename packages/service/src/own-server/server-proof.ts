import { createHmac, randomBytes } from "node:crypto";
import type { NodeHandler } from "@flyte-secrets/http";
import { reply } from "@flyte-secrets/http";

/** Where a client asks for the proof, with 32 random bytes in hex as `nonce`. */
const REQUEST = /^\/server-proof\?nonce=([0-9a-f]{64})$/;

/** How a server on a TCP port shows this user's clients that it is the one they mean. */
export interface ServerProof {
  /** For the announcement in the data directory, which nobody else reads. New for each start. */
  readonly key: string;
  /** Answers the question for the proof, the HMAC-SHA256 of the nonce under the key in hex; leaves every other request to `handler`. */
  answering(handler: NodeHandler): NodeHandler;
}

/** For a server whose data directory can hold no socket. */
export function createServerProof(): ServerProof {
  const key = randomBytes(32).toString("base64url");
  return {
    key,
    answering: (handler) => (req, res) => {
      const nonce = REQUEST.exec(req.url ?? "")?.[1];
      if (nonce === undefined) return handler(req, res);
      reply({ req, res }, { status: 200, text: createHmac("sha256", key).update(nonce).digest("hex") });
    },
  };
}
