import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** A server answers and closes within this time, or has forgotten the connection. */
const MAX_ANSWER_MS = 20_000;

/** After this time without an answer the sending side is ended: Node answers nobody who ends it at once. */
const PATIENCE_MS = 30;

/**
 * Sends bytes to a port of this machine on a connection of their own, and returns what comes back. Throws for a server
 * that neither answers nor closes within 20 seconds.
 */
export function sendBytes(
  port: number,
  pieces: readonly Uint8Array[],
  options: { tls?: boolean } = {},
): Promise<Buffer> {
  const target = { port, host: "127.0.0.1", noDelay: true };
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket: Socket = options.tls ? connectTls({ ...target, rejectUnauthorized: false }) : connect(target);
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the connection was still open after ${MAX_ANSWER_MS} ms`));
    }, MAX_ANSWER_MS);
    let ending = setTimeout(() => socket.end(), PATIENCE_MS);
    socket.on("data", (chunk) => {
      received.push(chunk);
      socket.end();
      // HTTP/2 keeps a connection of which only one side has ended until it has been idle for long.
      clearTimeout(ending);
      ending = setTimeout(() => socket.destroy(), PATIENCE_MS);
    });
    // A server may cut off whom it can't understand.
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      clearTimeout(ending);
      resolve(Buffer.concat(received));
    });
    for (const piece of pieces) socket.write(piece);
  });
}

/** Throws when an answer says that something of ours failed, or holds `canary`. */
export function checkAnswer(answer: Buffer, canary: string): void {
  const text = answer.toString("latin1");
  for (const [line, status] of text.matchAll(/^HTTP\/1\.1 (\d{3}).*/gm)) {
    if (Number(status) >= 500 && !["501", "503", "505"].includes(status ?? ""))
      throw new Error(`answered ${line}: ${text.slice(0, 500)}`);
  }
  if (/"code":"internal"|grpc-status: 13|TypeError|RangeError|node:internal/.test(text))
    throw new Error(`answered ${text.slice(0, 500)}`);
  for (const form of [canary, Buffer.from(canary).toString("base64").slice(0, -4)]) {
    if (text.includes(form)) throw new Error("the answer holds the value");
  }
}
