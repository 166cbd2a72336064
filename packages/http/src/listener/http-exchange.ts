import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** A request listener that fits Node's `http`, `https` and `http2` servers alike. */
export type NodeHandler = (req: NodeRequest, res: NodeResponse) => void;
export type NodeRequest = IncomingMessage | Http2ServerRequest;
/** With the forms of `write` and `writeHead` that both kinds have: their own declarations fit no common call. */
export type NodeResponse = (Omit<ServerResponse, "write"> | Omit<Http2ServerResponse, "write">) & {
  write(chunk: string | Uint8Array, callback?: (error: Error | null | undefined) => void): boolean;
  write(
    chunk: string | Uint8Array,
    encoding: BufferEncoding,
    callback?: (error: Error | null | undefined) => void,
  ): boolean;
  writeHead(status: number, headers?: OutgoingHttpHeaders): unknown;
};

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
