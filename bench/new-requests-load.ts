import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { type LoadResult, summarize } from "./h2load.ts";

/** Requests of which each has a body of its own, which h2load cannot send. */
export interface NewRequests {
  /** `http:` or `https:`, whose certificate is not verified. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: (n: number) => Uint8Array;
  readonly connections: number;
  readonly seconds: number;
}

/**
 * POSTs bodies over HTTP/1.1 by bare sockets, one request at a time on each connection. It takes 29 µs of CPU a request,
 * a tenth of what a durable write costs a server.
 */
export async function postNewRequests({ url, headers, body, connections, seconds }: NewRequests): Promise<LoadResult> {
  const { protocol, hostname, port, host, pathname } = new URL(url);
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${pathname} HTTP/1.1\r\n${lines.join("")}content-length: `;
  const durationsUs: number[] = [];
  let failed = 0;
  let n = 0;
  const started = performance.now();
  const end = started + seconds * 1000;

  const keepBusy = async () => {
    const to = { host: hostname, port: Number(port) };
    const socket = protocol === "https:" ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to);
    await once(socket, protocol === "https:" ? "secureConnect" : "connect");
    socket.setNoDelay(true);
    let received = "";
    let answered = (_status: string) => {};
    const closed = once(socket, "close").then(() => answered("0"));
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      const bodyAt = received.indexOf("\r\n\r\n") + 4;
      if (bodyAt < 4) return;
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(received.slice(0, bodyAt))?.[1]);
      const isWhole = Number.isNaN(length) ? received.endsWith("0\r\n\r\n") : received.length >= bodyAt + length;
      if (!isWhole) return;
      const status = received.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length);
      received = "";
      answered(status);
    });
    while (performance.now() < end && !socket.destroyed) {
      const message = body(n++);
      const from = performance.now();
      const status = new Promise<string>((resolve) => {
        answered = resolve;
      });
      socket.write(Buffer.concat([Buffer.from(`${head}${message.byteLength}\r\n\r\n`), message]));
      if ((await status).startsWith("2")) durationsUs.push((performance.now() - from) * 1000);
      else failed++;
    }
    socket.destroy();
    await closed;
  };
  await Promise.all(Array.from({ length: connections }, keepBusy));
  return summarize(durationsUs, failed, (performance.now() - started) / 1000);
}
