import type { IncomingMessage } from "node:http";
import { type Clock, isSecretsError, SecretsError, sleep, toAbortError } from "@flyte-secrets/core";
import { type ClusterConnection, serverName } from "./connection.ts";
import { type ApiCall, fromFailure, fromStatus } from "./error.ts";
import { NoObjectError } from "./objects.ts";
import { createRateLimiter } from "./rate-limit.ts";
import { discard, readBody } from "./response-body.ts";
import { createTransport } from "./transport.ts";

/** After this many attempts that the API server was too busy for, the call fails. */
const MAX_ATTEMPTS = 10;

export interface KubeClientOptions {
  readonly connection: ClusterConnection;
  /** Requests per second, and at once, before they queue. */
  readonly qps: number;
  readonly burst: number;
  /** Time limit of one call with its waits and retries. A watch has none. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Receives every request that was answered or failed, for metrics. */
  readonly observe?: (request: ObservedRequest) => void;
}

export interface ObservedRequest {
  readonly verb: string;
  readonly resource: string;
  /** 0 without an answer. */
  readonly status: number;
  /** Time in the queue of `qps` and `burst`. */
  readonly waitedMs: number;
  readonly tookMs: number;
}

/** A request, and its description in errors. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: object | undefined;
  /** JSON when absent. */
  readonly contentType?: string;
  /** Longest body of the response. Default: {@link MAX_BODY_BYTES}. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
  readonly call: Omit<ApiCall, "server" | "isSecure">;
}

export interface ApiResponse {
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

/** Sends requests with rate limit, retries where the API server is too busy, and all failures as errors of ours. */
export interface RequestSender {
  /**
   * Returns what `decode` makes of the whole response, within the time limit of a call. An error for a longer body: see
   * {@link isTooLong}.
   */
  exchange<T>(request: ApiRequest, decode: (response: ApiResponse) => T): Promise<T>;
  /** Passes a streamed response to `read` until that returns; without a time limit. */
  stream<T>(
    request: ApiRequest,
    read: (response: IncomingMessage, call: ApiCall) => AsyncIterable<T>,
  ): AsyncIterable<T>;
  close(): void;
}

export function createRequestSender(options: KubeClientOptions): RequestSender {
  const { connection, timeoutMs, clock, observe } = options;
  const transport = createTransport(connection);
  const limit = createRateLimiter(options);
  const closing = new AbortController();
  const isSecure = connection.server.protocol === "https:";
  const server = `the API server ${serverName(connection)}`;

  /** Returns a response with a status below 400, whose body is still to be read. */
  async function send(request: ApiRequest, call: ApiCall, signal: AbortSignal): Promise<IncomingMessage> {
    const { method, contentType } = request;
    const { verb, resource } = call;
    const path = withQuery(request.path, request.query);
    const body = request.body && JSON.stringify(request.body);
    for (let attempt = 1; ; attempt++) {
      const waitedMs = await limit.take(signal);
      const started = clock.elapsed();
      let status = 0;
      let retryMs: number | undefined;
      try {
        const response = await transport.send({ method, path, signal, contentType, body });
        status = response.statusCode ?? 0;
        if (status < 400) return response;
        retryMs = retryAfterMs(response);
        if (retryMs === undefined || attempt === MAX_ATTEMPTS) throw fromStatus(status, await readJson(response), call);
        discard(response);
      } finally {
        observe?.({ verb, resource, status, waitedMs, tookMs: clock.elapsed() - started });
      }
      await sleep(clock, retryMs, signal);
    }
  }

  async function receive(request: ApiRequest, call: ApiCall): Promise<ApiResponse> {
    const deadline = new AbortController();
    const stop = clock.after(timeoutMs, () =>
      deadline.abort(new SecretsError("deadline_exceeded", `${server} did not answer within ${timeoutMs} ms.`)),
    );
    const signal = joinSignals(deadline.signal, closing.signal, request.signal);
    try {
      const response = await send(request, call, signal);
      return { headers: response.headers, body: await readJson(response, request.maxBytes) };
    } catch (error) {
      throw toCallError(error, signal, call);
    } finally {
      stop();
    }
  }

  return {
    async exchange(request, decode) {
      const call = { ...request.call, server, isSecure };
      const response = await receive(request, call);
      try {
        return decode(response);
      } catch (error) {
        throw error instanceof NoObjectError ? fromFailure(error, call) : error;
      }
    },

    async *stream(request, read) {
      const call = { ...request.call, server, isSecure };
      const signal = joinSignals(closing.signal, request.signal);
      try {
        const response = await send(request, call, signal);
        try {
          yield* read(response, call);
        } finally {
          response.destroy();
        }
      } catch (error) {
        throw toCallError(error, signal, call);
      }
    },

    close() {
      closing.abort(new SecretsError("canceled", "The Kubernetes client is closed."));
      transport.close();
    },
  };
}

/** The delay before a retry, where the API server refused the request without effect (by the rules of client-go). */
function retryAfterMs({ statusCode = 0, headers }: IncomingMessage): number | undefined {
  const said = headers["retry-after"];
  const seconds = said === undefined || !/^\d+$/.test(said) ? undefined : Number(said);
  if (statusCode === 429) return (seconds ?? 1) * 1000;
  return statusCode >= 500 && seconds !== undefined ? seconds * 1000 : undefined;
}

/** Undefined for a body that is not JSON, such as a proxy's page. */
async function readJson(response: IncomingMessage, maxBytes?: number): Promise<unknown> {
  const content = await readBody(response, maxBytes);
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

function withQuery(path: string, query: ApiRequest["query"] = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? path : `${path}?${given}`;
}

function joinSignals(...signals: (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}

/** A known cause, such as the plugin that took the time, takes precedence over the time limit that passed. */
function toCallError(error: unknown, signal: AbortSignal, call: ApiCall): SecretsError {
  return signal.aborted && !isSecretsError(error) ? toAbortError(signal, "the API server") : fromFailure(error, call);
}
