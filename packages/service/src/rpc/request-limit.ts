import { type HttpExchange, loadPrometheus } from "@flyte-secrets/http";
import type { Registry } from "prom-client";

/** As many calls as one core answers in about a second, for which callers wait. */
export const DEFAULT_MAX_REQUESTS = 2_048;

/** How often a full limit is searched for requests that wait for their clients. */
const SEARCH_MS = 100;

/** Limits how many requests are answered at a time, so that those are answered before their callers give up. */
export interface RequestLimit {
  /**
   * Counts a request until {@link release}. False when as many are being answered already: refuse it then. A request
   * whose body does not arrive, or whose response is not read, soon leaves its place to others.
   */
  admit(exchange: HttpExchange): boolean;
  /** Gives the place back. Does nothing for a request that has none. */
  release(exchange: HttpExchange): void;
  /** How many were refused so far. */
  refused(): number;
}

export function createRequestLimit(maxRequests: number): RequestLimit {
  /** Those that the last search found waiting for their clients have true. */
  const admitted = new Map<HttpExchange, boolean>();
  let refused = 0;
  let isSearching = false;

  /**
   * Looks twice, in different turns of the event loop: after the first, what a client had sent before may still have
   * to be read. Observing each request as it arrives and is answered would cost all of them.
   */
  function search(): void {
    isSearching = false;
    for (const [exchange, wasWaiting] of admitted) {
      const isWaiting = !exchange.req.complete || exchange.res.writableEnded;
      if (isWaiting && wasWaiting) admitted.delete(exchange);
      else admitted.set(exchange, isWaiting);
    }
    searchWhileFull();
  }

  function searchWhileFull(): void {
    if (isSearching || admitted.size < maxRequests) return;
    isSearching = true;
    setTimeout(search, SEARCH_MS).unref();
  }

  return {
    admit(exchange) {
      if (admitted.size >= maxRequests) {
        refused += 1;
        searchWhileFull();
        return false;
      }
      admitted.set(exchange, false);
      return true;
    },
    release: (exchange) => void admitted.delete(exchange),
    refused: () => refused,
  };
}

/** Adds the number of calls that a limit has refused to `registry`. */
export function addRefusedMetric(registry: Registry, { refused }: RequestLimit): void {
  const { Counter } = loadPrometheus();
  new Counter({
    name: "rpc_server_requests_refused_total",
    help: "Calls that were refused because secret.server.limits.requests were being answered.",
    registers: [registry],
    collect() {
      this.reset();
      this.inc(refused());
    },
  });
}
