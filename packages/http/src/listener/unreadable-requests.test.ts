import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { send } from "@flyte-secrets/service/testing";
import { createCertificate } from "@flyte-secrets/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import type { NodeHandler } from "./http-exchange.ts";
import { listen } from "./listen.ts";

const CERTIFICATE = await createCertificate();
const line = (status: string, code: string) =>
  new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*\r\n\r\n\\{"code":"${code}","message":"[^"]+"\\}$`);
const head = "POST / HTTP/1.1\r\nhost: h\r\n";
/** Answers once the body has wholly arrived. */
const whole: NodeHandler = (req, res) => {
  req.on("end", () => res.end("whole"));
  req.resume();
};

async function start(tls: boolean, handler: NodeHandler = whole) {
  const options = tls ? { tls: CERTIFICATE } : {};
  const limits = { headersTimeoutMs: 10_000, requestTimeoutMs: 10_000 };
  const listener = await listen({ handler, host: "127.0.0.1", port: 0, limits, ...options });
  onTestFinished(() => listener.close({ graceMs: 0 }));
  return listener.port;
}

async function open(port: number, tls: boolean) {
  const host = "127.0.0.1";
  const socket = tls ? connectTls({ port, host, rejectUnauthorized: false }) : connect(port, host);
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  await once(socket, tls ? "secureConnect" : "connect");
  return socket;
}

describe.each([false, true])("a request that can't be read gets an error body, over TLS: %s", (tls) => {
  test.each([
    ["no HTTP", "hello there, who are you?\r\n\r\n", line("400", "invalid_argument")],
    ["a version of its own", "GET / HTTP/3.0\r\nhost: h\r\n\r\n", line("400", "invalid_argument")],
    ["HTTP/2 in a line of text", "GET / HTTP/2.0\r\nhost: h\r\n\r\n", line("400", "invalid_argument")],
    ["HTTP/0.9", "GET / HTTP/0.9\r\nhost: h\r\n\r\n", line("400", "invalid_argument")],
    ["a malformed header", `${head}no colon\r\n\r\n`, line("400", "invalid_argument")],
    ["two lengths", `${head}content-length: 1\r\ncontent-length: 2\r\n\r\nab`, line("400", "invalid_argument")],
    [
      "a length beside chunks",
      `${head}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\na`,
      line("400", "invalid_argument"),
    ],
    ["a broken chunk", `${head}transfer-encoding: chunked\r\n\r\nxyz\r\n`, line("400", "invalid_argument")],
    [
      "a token of 20 KiB",
      `${head}authorization: Bearer ${"x".repeat(20_000)}\r\n\r\n`,
      line("431", "resource_exhausted"),
    ],
    [
      "a query of 20 KiB",
      `GET /?message=${"x".repeat(20_000)} HTTP/1.1\r\nhost: h\r\n\r\n`,
      line("431", "resource_exhausted"),
    ],
    [
      "chunks with 20 KiB beside them",
      `${head}transfer-encoding: chunked\r\n\r\n1;${"x".repeat(20_000)}\r\na\r\n`,
      line("413", "resource_exhausted"),
    ],
  ])("%s", async (_, bytes, expected) => {
    const port = await start(tls);
    const socket = await open(port, tls);
    socket.write(bytes);
    const answer = await text(socket);
    expect(answer).toMatch(expected);
    expect(answer).toContain("cache-control: no-store");
    expect(answer).toContain("connection: close");
    const { status } = await send(`${tls ? "https" : "http"}://127.0.0.1:${port}/`);
    expect(status).toBe(200);
  });
});

test("a request that doesn't arrive in time gets one too", async () => {
  const limits = { headersTimeoutMs: 200, requestTimeoutMs: 200 };
  const listener = await listen({ handler: whole, host: "127.0.0.1", port: 0, limits });
  onTestFinished(() => listener.close({ graceMs: 0 }));
  const socket = await open(listener.port, false);
  socket.write(`${head}content-length: 10\r\n\r\nabc`);
  expect(await text(socket)).toMatch(line("408", "deadline_exceeded"));
});

test("nothing is written into an answer that has begun", async () => {
  const port = await start(false, (_, res) => {
    res.writeHead(200, { "content-length": 10 });
    res.write("begun");
  });
  const socket = await open(port, false);
  socket.write(`GET / HTTP/1.1\r\nhost: h\r\n\r\n`);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    if (String(Buffer.concat(chunks)).endsWith("begun")) socket.write("no HTTP\r\n\r\n");
  });
  await once(socket, "close");
  expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nbegun$/);
});
