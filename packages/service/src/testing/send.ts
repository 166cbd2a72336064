import { request as requestHttp } from "node:http";
import { connect } from "node:http2";
import { request as requestHttps } from "node:https";
import { Readable } from "node:stream";

export interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** Sent in these pieces, chunked unless there is a content-length header. */
  readonly body?: readonly (string | Uint8Array)[];
}

export interface Received {
  readonly status: number | undefined;
  readonly headers: Record<string, unknown>;
  readonly trailers: Record<string, unknown>;
  readonly body: Buffer;
}

/** One HTTP/1.1 request, with nothing done for it that isn't asked for. */
export function send(url: string, { method = "GET", headers = {}, body = [] }: Sent = {}): Promise<Received> {
  const request = url.startsWith("https:") ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false, rejectUnauthorized: false });
    sent.on("error", reject);
    sent.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("error", reject);
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const { statusCode: status, headers: received, trailers } = response;
        resolve({ status, headers: received, trailers, body: Buffer.concat(chunks) });
      });
    });
    Readable.from(body).pipe(sent);
  });
}

/** One HTTP/2 request with prior knowledge, on a connection of its own. */
export async function sendHttp2(
  url: string,
  { method = "GET", headers = {}, body = [] }: Sent = {},
): Promise<Received> {
  const { origin, pathname, search } = new URL(url);
  const session = connect(origin, { rejectUnauthorized: false });
  try {
    return await new Promise((resolve, reject) => {
      session.on("error", reject);
      const stream = session.request({ ":method": method, ":path": pathname + search, ...headers });
      let head: Record<string, unknown> = {};
      let trailers: Record<string, unknown> = {};
      const chunks: Buffer[] = [];
      stream.on("error", reject);
      stream.on("response", (received) => {
        head = { ...received };
      });
      stream.on("trailers", (received) => {
        trailers = { ...received };
      });
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        resolve({ status: Number(head[":status"]), headers: head, trailers, body: Buffer.concat(chunks) });
      });
      Readable.from(body).pipe(stream);
    });
  } finally {
    session.close();
  }
}
