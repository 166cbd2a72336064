import type { OutgoingHttpHeaders } from "node:http";
import { Code } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import type { Exchange } from "./node-handler.ts";

/** A whole answer; plain text unless the headers say otherwise. */
export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers?: OutgoingHttpHeaders;
}

/** An error as it goes over the wire; `code` is Connect's name for it. */
export interface ErrorReply {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: OutgoingHttpHeaders;
}

/** Answers a request that is no RPC. HEAD gets the headers only. */
export function reply({ req, res }: Exchange, { status, text, headers }: Reply): void {
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

/** An error as Connect writes it. */
export function toErrorBody(code: string, message: string): string {
  return JSON.stringify({ code, message });
}

/** Answers with an error body as Connect writes it, which Flyte's clients read whatever the path was. */
export function replyError(exchange: Exchange, { status, code, message, headers }: ErrorReply): void {
  reply(exchange, {
    status,
    text: toErrorBody(code, message),
    headers: { "content-type": "application/json", ...headers },
  });
}

/** Answers a call before it is looked at: like {@link replyError}, and to gRPC and gRPC-Web in their own way (an answer of headers alone). */
export function refuseCall(exchange: Exchange, error: ErrorReply): void {
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
