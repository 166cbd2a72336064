import type { ContextValues } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { BodyBudget, Exchange, NodeRequest } from "@flyte-secrets/http";
import { replyError } from "@flyte-secrets/http";
import type { Logger } from "pino";
import { capTimeout } from "./cap-timeout.ts";

/** Stands in where a request names no host, since Connect wants an absolute URL. */
const NO_HOST = "no-host.invalid";

export interface ServeRpcOptions {
  readonly values: ContextValues;
  /** What the body counts towards. */
  readonly bodies: BodyBudget;
  readonly log: Logger;
  /** Turns the request into one that the handler takes, where they differ. */
  readonly transform?: ((request: UniversalServerRequest) => UniversalServerRequest) | undefined;
}

/** The host that a request was sent to: `:authority` on HTTP/2, else `Host`; empty when it names neither. */
export function requestAuthority(req: NodeRequest): string {
  return ("authority" in req ? req.authority : req.headers.host) ?? "";
}

/**
 * Answers one RPC. Does what connect-node's adapter does, and besides: a request without a host or with a malformed one is
 * no crash; an over-long body is answered instead of cut off; 405 and 415 say what would be right, and not `unknown`,
 * at which Flyte's clients log in; failures go to the log.
 */
export async function serveRpc(exchange: Exchange, handler: UniversalHandler, options: ServeRpcOptions): Promise<void> {
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

async function answer(exchange: Exchange, handler: UniversalHandler, request: UniversalServerRequest): Promise<void> {
  const { req, res } = exchange;
  const response = await handler(request);
  // What is left of a refused body must still flow, else the client never comes to read the answer; and a connection that
  // ends with the answer must not end before it, which would take the answer along.
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

/** From this size on a write may leave the socket waiting for the client. */
const LARGE_BYTES = 16 * 1024;

/**
 * Holds the last byte of a large body back until the rest has left. Over HTTP/1.1 with TLS, Node drops the connection ("Parse Error:
 * Paused") when the next request arrives in two pieces while the answer before it still counts as waiting to be sent, which a
 * quick client manages.
 */
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

/** Whether the client sends its body: one that asks first doesn't, where nobody has begun to read. */
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

function toUniversalRequest(exchange: Exchange, options: ServeRpcOptions): UniversalServerRequest | undefined {
  const { req, res } = exchange;
  if (requestAuthority(req) === "") req.headers.host = NO_HOST;
  try {
    const request = universalRequestFromNodeRequest(req, res, undefined, options.values);
    capTimeout(request.header);
    const budgeted = { ...request, body: options.bodies.read(exchange) };
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
