import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/**
 * The beginning of every HTTP/2 connection (RFC 9113 section 3.4), as far as needed: no HTTP/1.1 method begins like
 * that.
 */
const HTTP2_PREFACE = Buffer.from("PRI ");

export type Protocol = "http/1.1" | "h2";

/**
 * Calls `serve` with the client's protocol: the one that ALPN agreed on, or, without TLS, the one of its first bytes,
 * which are put back. `serve` is called in the same tick, so that no byte is lost in between. A client that sends too
 * little for `timeoutMs` is disconnected.
 */
export function detectProtocol(socket: Socket, timeoutMs: number, serve: (protocol: Protocol) => void): void {
  if (socket instanceof TLSSocket) {
    serve(socket.alpnProtocol === "h2" ? "h2" : "http/1.1");
    return;
  }
  let head = Buffer.alloc(0);
  const giveUp = () => socket.destroy();
  const timer = setTimeout(giveUp, timeoutMs);
  const end = () => {
    clearTimeout(timer);
    socket.off("data", read).off("error", giveUp).off("end", giveUp).off("close", end);
  };
  const read = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const start = head.subarray(0, HTTP2_PREFACE.length);
    const agrees = HTTP2_PREFACE.subarray(0, start.length).equals(start);
    if (agrees && start.length < HTTP2_PREFACE.length) return;
    end();
    // An HTTP/2 session takes what is buffered a tick later, when a flowing stream would have lost it.
    if (agrees) socket.pause();
    socket.unshift(head);
    serve(agrees ? "h2" : "http/1.1");
  };
  socket.on("data", read).on("error", giveUp).on("end", giveUp).on("close", end);
}
