import { isSecretsError } from "@flyte-secrets/core";
import { type ErrorReply, type HttpExchange, reply, replyError, replyMetrics } from "@flyte-secrets/http";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Authentication } from "./auth/authentication.ts";

export interface GuardedMetricsOptions {
  readonly registry: Registry;
  readonly authentication: Authentication;
  readonly log: Logger;
}

/** Answers `/metrics`, which requires the same credentials as a call: the port may be open to others than scrapers. */
export async function replyGuardedMetrics(exchange: HttpExchange, options: GuardedMetricsOptions): Promise<void> {
  const { registry, authentication, log } = options;
  const { authorization = "", "proxy-authorization": proxy = "" } = exchange.req.headers;
  try {
    await authentication.authorise(new Headers({ authorization, "proxy-authorization": proxy }));
  } catch (error) {
    const isRefused = isSecretsError(error, "unauthenticated");
    const message = isSecretsError(error) ? error.message : "the credentials could not be checked";
    replyError(exchange, {
      status: isRefused ? 401 : 503,
      code: isRefused ? "unauthenticated" : "unavailable",
      message,
    });
    return;
  }
  await replyMetrics(exchange, registry, log);
}

const NO_ISSUER: ErrorReply = {
  status: 404,
  code: "unimplemented",
  message: "there is no OAuth 2 issuer behind this server: send its own token as a bearer token",
};

/**
 * Answers `/.well-known/oauth-authorization-server` with the issuer's metadata: 404 without an issuer, 503 while it is
 * unreachable.
 */
export async function replyIssuerMetadata(exchange: HttpExchange, authentication: Authentication): Promise<void> {
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
