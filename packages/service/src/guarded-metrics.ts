import { isSecretsError } from "@flyte-secrets/core";
import type { Exchange } from "@flyte-secrets/http";
import { replyError, replyMetrics } from "@flyte-secrets/http";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Authentication } from "./auth/authentication.ts";

export interface GuardedMetricsOptions {
  readonly registry: Registry;
  readonly authentication: Authentication;
  readonly log: Logger;
}

/** Answers `/metrics`, which asks for the same credentials as a call: the port may be open to more than those who scrape. */
export async function replyGuardedMetrics(exchange: Exchange, options: GuardedMetricsOptions): Promise<void> {
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
