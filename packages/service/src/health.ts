import { isSecretsError, raceSignal, type SecretStore } from "@flyte-secrets/core";
import { type HttpExchange, reply } from "@flyte-secrets/http";
import type { Logger } from "pino";

const CHECK_TIMEOUT_MS = 2_000;
/** How long a result is reused: anybody may request it, and checking the store may be a call to the API server. */
const REUSED_MS = 1_000;

/** Liveness and readiness of a service. They need no credentials. */
export interface Health {
  /** Answers `/healthz` (200) and `/readyz` (200, or 503 with the reason). Undefined for any other path. */
  answer(exchange: HttpExchange, path: string): Promise<void> | undefined;
  /** Makes `/readyz` answer 503 from now on. */
  close(): void;
}

/**
 * The health of a service over one store, which is checked at most once a second. The log has the reason when it is not
 * ready.
 */
export function createHealth(store: SecretStore, log: Logger): Health {
  let closing = false;
  let last: { readonly until: number; readonly fault: Promise<string | undefined> } | undefined;
  let logged: string | undefined;

  async function probe(): Promise<string | undefined> {
    const fault = await checkStore(store);
    if (fault !== undefined && fault.details !== logged)
      log.warn({ store: store.name, reason: fault.details }, "not ready");
    logged = fault?.details;
    return fault && `store ${store.name}: ${fault.reason}`;
  }

  async function replyReadiness(exchange: HttpExchange): Promise<void> {
    const now = performance.now();
    if (last === undefined || now >= last.until) last = { until: now + REUSED_MS, fault: probe() };
    const reason = closing ? "shutting down" : await last.fault;
    if (reason === undefined) reply(exchange, { status: 200, text: "OK" });
    else reply(exchange, { status: 503, text: `${reason}\n` });
  }

  return {
    answer(exchange, path) {
      switch (path) {
        case "/healthz":
          return Promise.resolve(reply(exchange, { status: 200, text: "OK" }));
        case "/readyz":
          return replyReadiness(exchange);
        default:
          return undefined;
      }
    },
    close() {
      closing = true;
    },
  };
}

interface StoreProblem {
  /** For anybody: without paths and addresses. */
  readonly reason: string;
  /** For the log. */
  readonly details: string;
}

async function checkStore(store: SecretStore): Promise<StoreProblem | undefined> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  try {
    await raceSignal(
      signal,
      () => store.check({ signal }),
      ({ reason }) => reason,
    );
    return undefined;
  } catch (error) {
    if (isSecretsError(error)) return { reason: `${error.code}, see the server's log`, details: error.message };
    const reason = `no answer within ${CHECK_TIMEOUT_MS} ms`;
    return { reason, details: signal.aborted ? reason : String(error) };
  }
}
