import type { OutgoingHttpHeaders } from "node:http";
import { Code } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import type { connectNodeAdapter } from "@connectrpc/connect-node";

/** A request listener that fits Node's `http`, `https` and `http2` servers alike. */
export type NodeHandler = ReturnType<typeof connectNodeAdapter>;
export type NodeRequest = Parameters<NodeHandler>[0];
export type NodeResponse = Parameters<NodeHandler>[1];

/** A request and the response to it. */
export interface HttpExchange {
  readonly req: NodeRequest;
  readonly res: NodeResponse;
}

/** A complete response; plain text unless the headers say otherwise. */
export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers?: OutgoingHttpHeaders;
}

/** An error response; `code` is Connect's name for it. */
export interface ErrorReply {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: OutgoingHttpHeaders;
}

/** Sends a response to a request that is not an RPC. HEAD gets the headers only. */
export function reply({ req, res }: HttpExchange, { status, text, headers }: Reply): void {
  const body = Buffer.from(text);
  res.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": body.byteLength,
    "cache-control": "no-store",
    ...headers,
  });
  if (req.method !== "HEAD") res.write(body);
  res.end();
}

/** Connect's JSON of an error. */
export function toErrorBody(code: string, message: string): string {
  return JSON.stringify({ code, message });
}

/** Responds with Connect's error body, which Flyte's clients read at any path. */
export function replyError(exchange: HttpExchange, { status, code, message, headers }: ErrorReply): void {
  reply(exchange, {
    status,
    text: toErrorBody(code, message),
    headers: { "content-type": "application/json", ...headers },
  });
}

/** Rejects a call before it begins: like {@link replyError}, and for gRPC and gRPC-Web by headers alone. */
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
  };
  reply(exchange, { status: 200, text: "", headers });
}
