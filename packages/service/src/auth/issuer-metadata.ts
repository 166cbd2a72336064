import { isSecretsError } from "@flyte-secrets/core";
import type { Exchange } from "@flyte-secrets/http";
import { type ErrorReply, reply, replyError } from "@flyte-secrets/http";
import type { Authentication } from "./authentication.ts";

const NO_ISSUER: ErrorReply = {
  status: 404,
  code: "unimplemented",
  message: "there is no OAuth 2 issuer behind this server: send its own token as a bearer token",
};

/** Answers `/.well-known/oauth-authorization-server` with what the issuer publishes: 404 without one, 503 while it is out of reach. */
export async function replyIssuerMetadata(exchange: Exchange, authentication: Authentication): Promise<void> {
  try {
    const metadata = await authentication.issuerMetadata();
    if (metadata === undefined) replyError(exchange, NO_ISSUER);
    else {
      reply(exchange, {
        status: 200,
        text: JSON.stringify(metadata),
        headers: { "content-type": "application/json" },
      });
    }
  } catch (error) {
    const message = isSecretsError(error) ? error.message : "the issuer's metadata could not be read";
    replyError(exchange, { status: 503, code: "unavailable", message });
  }
}
