import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { isSecretsError, SecretsError, sleep, toAbortError } from "@flyte-secrets/core";
import type { KubeClientOptions } from "./client-options.ts";
import { serverName } from "./connection.ts";
import { type ApiCall, fromFailure, fromStatus } from "./error.ts";
import { createRateLimiter } from "./rate-limit.ts";
import { createTransport } from "./transport.ts";

/** After so many answers of "too busy" the caller hears of it. */
const MAX_ATTEMPTS = 10;

/** One request, and what errors call it. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: object | undefined;
  /** JSON when absent. */
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  readonly call: Omit<ApiCall, "server" | "isSecure">;
}

export interface ApiResponse {
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

/** Sends requests as {@link KubeClient} promises: in turn, again where the API server was too busy, with every failure mapped. */
export interface RequestSender {
  /** The whole answer, within the time limit of a call. */
  exchange(request: ApiRequest): Promise<ApiResponse>;
  /** Hands an answer that goes on to `read`, for as long as that wants it; without a time limit. */
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

  /** The answer below 400; its body is still to be read. */
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
        response.resume();
      } finally {
        observe?.({ verb, resource, status, waitedMs, tookMs: clock.elapsed() - started });
      }
      await sleep(clock, retryMs, signal);
    }
  }

  return {
    async exchange(request) {
      const call = { ...request.call, server, isSecure };
      const deadline = new AbortController();
      const stop = clock.after(timeoutMs, () =>
        deadline.abort(new SecretsError("deadline_exceeded", `${server} did not answer within ${timeoutMs} ms.`)),
      );
      const signal = joinSignals(deadline.signal, closing.signal, request.signal);
      try {
        const response = await send(request, call, signal);
        return { headers: response.headers, body: await readJson(response) };
      } catch (error) {
        throw toCallError(error, signal, call);
      } finally {
        stop();
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

/** How long to wait before the same call, where the API server turned it away undone (as client-go reads it). */
function retryAfterMs({ statusCode = 0, headers }: IncomingMessage): number | undefined {
  const said = headers["retry-after"];
  const seconds = said === undefined || !/^\d+$/.test(said) ? undefined : Number(said);
  if (statusCode === 429) return (seconds ?? 1) * 1000;
  return statusCode >= 500 && seconds !== undefined ? seconds * 1000 : undefined;
}

/** Undefined for what is no JSON, such as a proxy's page. */
async function readJson(response: IncomingMessage): Promise<unknown> {
  const content = await text(response);
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

/** What is known of the failure already, such as which plugin took the time, comes before that the time limit passed. */
function toCallError(error: unknown, signal: AbortSignal, call: ApiCall): SecretsError {
  return signal.aborted && !isSecretsError(error) ? toAbortError(signal, "the API server") : fromFailure(error, call);
}
