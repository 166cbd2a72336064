import { Code, type ContextValues } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { type ErrorReply, type HttpExchange, type NodeRequest, reply, replyError } from "@flyte-secrets/http";
import type { Logger } from "pino";
import type { RequestBody } from "./body-budget.ts";

/** The host of requests that name none, because Connect requires an absolute URL. */
const NO_HOST = "no-host.invalid";

export interface ServeRpcOptions {
  readonly values: ContextValues;
  readonly body: RequestBody;
  readonly log: Logger;
  /** Converts the request to one that the handler accepts. Default: none is needed. */
  readonly transform?: ((request: UniversalServerRequest) => UniversalServerRequest) | undefined;
}

/** The host that a request was sent to: `:authority` on HTTP/2, else `Host`; empty when it names neither. */
export function requestAuthority(req: NodeRequest): string {
  return ("authority" in req ? req.authority : req.headers.host) ?? "";
}

/**
 * Answers one RPC as connect-node's adapter does, with these differences: a request with a missing or malformed host
 * does not throw; an over-long body gets a response instead of a closed connection; 405 and 415 name what is supported,
 * and not `unknown`, at which Flyte's clients log in; failures are logged.
 */
export async function serveRpc(
  exchange: HttpExchange,
  handler: UniversalHandler,
  options: ServeRpcOptions,
): Promise<void> {
  const request = toUniversalRequest(exchange, options);
  if (request === undefined) {
    replyError(exchange, {
      status: 400,
      code: "invalid_argument",
      message: "the host or the path of this request is malformed",
    });
    return;
  }
  try {
    await answer(exchange, handler, request);
  } catch (error) {
    options.log.debug({ rpc: handler.requestPath, reason: String(error) }, "the answer could not be sent");
    exchange.res.destroy();
  }
}

/**
 * Rejects a call before it begins: like `replyError`, and for gRPC and gRPC-Web by headers alone, in the place of
 * trailers.
 */
export function refuseCall(exchange: HttpExchange, error: ErrorReply): void {
  const contentType = exchange.req.headers["content-type"] ?? "";
  if (!contentType.startsWith("application/grpc")) {
    replyError(exchange, error);
    return;
  }
  const status = codeFromString(error.code) ?? Code.Unknown;
  const headers = {
    "content-type": contentType,
    "grpc-status": status,
    "grpc-message": encodeURIComponent(error.message),
    ...error.headers,
  };
  reply(exchange, { status: 200, text: "", headers });
}

async function answer(
  exchange: HttpExchange,
  handler: UniversalHandler,
  request: UniversalServerRequest,
): Promise<void> {
  const { req, res } = exchange;
  const response = await handler(request);
  // The rest of a refused body must be read, because clients read the response only after they have sent the body. A
  // connection that closes after this response must not close before, or the response would be lost.
  if (!req.complete && isComing(req) && handler.method.methodKind === "unary") {
    const drained = drain(req);
    if ("shouldKeepAlive" in res && !res.shouldKeepAlive) await drained;
  }
  switch (response.status) {
    case 405: {
      const allowed = handler.allowedMethods;
      const message = `${req.method} is not served here, use ${allowed.join(" or ")}`;
      replyError(exchange, { status: 405, code: "unimplemented", message, headers: { allow: allowed.join(", ") } });
      break;
    }
    case 415:
      replyError(exchange, { status: 415, code: "invalid_argument", message: describeContentTypes(req) });
      break;
    default:
      await universalResponseToNodeResponse(lastByteApart(response), res);
  }
}

/**
 * Bodies of this size may fill the socket's buffer, and their last byte is written separately. Over HTTP/1.1 with TLS,
 * Node drops the connection ("Parse Error: Paused") when the next request arrives in two pieces while the previous
 * response is still being flushed, which happens with fast clients.
 */
export const LARGE_BYTES = 16 * 1024;

function lastByteApart(response: UniversalServerResponse): UniversalServerResponse {
  const { body } = response;
  if (body === undefined) return response;
  async function* pieces(chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      if (chunk.byteLength < LARGE_BYTES) yield chunk;
      else yield* [chunk.subarray(0, -1), chunk.subarray(-1)];
    }
  }
  return { ...response, body: pieces(body) };
}

/** Whether the client sends its body: with `Expect: 100-continue` it does not until the body is read. */
function isComing(req: NodeRequest): boolean {
  return req.headers.expect === undefined || req.readableDidRead;
}

function drain(req: NodeRequest): Promise<void> {
  return new Promise((resolve) => {
    req.once("end", resolve);
    req.once("close", resolve);
    req.resume();
  });
}

function toUniversalRequest(exchange: HttpExchange, options: ServeRpcOptions): UniversalServerRequest | undefined {
  const { req, res } = exchange;
  if (requestAuthority(req) === "") req.headers.host = NO_HOST;
  try {
    const request = universalRequestFromNodeRequest(req, res, undefined, options.values);
    capTimeout(request.header);
    const budgeted = { ...request, body: options.body };
    return options.transform?.(budgeted) ?? budgeted;
  } catch {
    return undefined;
  }
}

function describeContentTypes({ method, headers }: NodeRequest): string {
  if (method === "GET") return "a Connect GET names its message and encoding=json or encoding=proto in the query";
  const problem =
    headers["content-type"] === undefined ? "the content-type header is missing" : "this content type is not served";
  return `${problem}: use application/json or application/proto, or application/grpc or application/grpc-web`;
}

/**
 * The longest delay of a Node timer, 24 days: a longer one becomes 1 ms, with a warning on standard error each time.
 */
export const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** The units of gRPC in which eight digits can exceed {@link MAX_TIMEOUT_MS}, in milliseconds. */
const GRPC_UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000 };

/** Caps the timeout in a request's Connect or gRPC headers. Malformed timeouts are left for Connect to reject. */
export function capTimeout(headers: Headers): void {
  const connect = headers.get("connect-timeout-ms");
  if (connect !== null && /^\d{1,10}$/.test(connect) && Number(connect) > MAX_TIMEOUT_MS) {
    headers.set("connect-timeout-ms", String(MAX_TIMEOUT_MS));
  }
  const [, digits, unit = ""] = /^(\d{1,8})([HMS])$/.exec(headers.get("grpc-timeout") ?? "") ?? [];
  if (Number(digits) * (GRPC_UNITS[unit] ?? 0) > MAX_TIMEOUT_MS) {
    headers.set("grpc-timeout", `${Math.floor(MAX_TIMEOUT_MS / 1_000)}S`);
  }
}
