import { type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type NodeResponse, toErrorBody } from "./http-exchange.ts";

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** By the codes of Node's parser. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: "resource_exhausted",
    message: "the request's headers are larger than the 16 KiB that this server takes",
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    code: "resource_exhausted",
    message: "the extensions of the body's chunks are larger than the 16 KiB that this server takes",
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: "deadline_exceeded",
    message: "the request did not arrive whole within the time that this server gives it",
  },
};

const NO_HTTP: Answer = { status: 400, code: "invalid_argument", message: "this is no HTTP request that can be read" };

/**
 * Responds to requests that Node cannot parse as HTTP/1.1, or that do not arrive in time, with Connect's error body,
 * and closes the connection. Node would send a bare status line: for a 400 Flyte's clients repeat the call, for other
 * codes they log in. Returns a function that must be called with each response, and whose result when that is closed,
 * because nothing may be written into the middle of one.
 */
export function answerUnreadableRequests(server: Server): (socket: Duplex, response: NodeResponse) => () => void {
  const open = new WeakMap<Duplex, Set<NodeResponse>>();
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (socket.writableEnded) return;
    const answer = answerTo(error);
    const hasBegun = [...(open.get(socket) ?? [])].some(({ headersSent }) => headersSent);
    if (answer === undefined || !socket.writable || hasBegun) socket.destroy();
    else socket.end(toText(answer), () => socket.destroy());
  });
  return (socket, response) => {
    const responses = open.get(socket) ?? new Set();
    open.set(socket, responses.add(response));
    return () => void responses.delete(response);
  };
}

/** The error of Node's parser for a version that it does not take. */
export function unreadableVersion(): Error {
  return Object.assign(new Error("invalid HTTP version"), { code: "HPE_INVALID_VERSION" });
}

/** Undefined for failures below HTTP, such as a TLS handshake. */
function answerTo({ code = "" }: NodeJS.ErrnoException): Answer | undefined {
  return ANSWERS[code] ?? (code.startsWith("HPE_") ? NO_HTTP : undefined);
}

function toText({ status, code, message }: Answer): string {
  const body = toErrorBody(code, message);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "cache-control: no-store",
    "connection: close",
    "",
    body,
  ].join("\r\n");
}
