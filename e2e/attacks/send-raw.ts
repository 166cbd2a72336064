import { connect } from "node:net";

/**
 * After this time without an answer the sending side is ended, which makes a server give up on a request that isn't
 * whole; after twice this time the whole connection.
 */
const PATIENCE_MS = 2_000;

/**
 * What a port says to bytes on a connection of their own. Whoever ends the sending side at once gets no answer from
 * Node.
 */
export function sendRaw(port: number, bytes: string | Uint8Array, host = "127.0.0.1"): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect({ port, host });
    const timers = [setTimeout(() => socket.end(), PATIENCE_MS), setTimeout(() => socket.destroy(), 2 * PATIENCE_MS)];
    socket.setEncoding("latin1").on("data", (chunk) => {
      answer += chunk;
      socket.end();
    });
    // Being cut off is an answer too.
    socket.on("error", () => {});
    socket.on("close", () => {
      for (const timer of timers) clearTimeout(timer);
      resolve(answer);
    });
    socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  });
}

/** The text of an HTTP/1.1 request without surprises in its framing. */
export function rawRequest(line: string, headers: readonly string[], body = ""): string {
  const length = `content-length: ${Buffer.byteLength(body, "latin1")}`;
  return [`${line} HTTP/1.1`, ...headers, length, "", body].join("\r\n");
}

/** The status of the first answer; 0 when there is none. */
export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}
