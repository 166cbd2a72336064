import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { listen, reply } from "@flyte-secrets/http";
import { expect, onTestFinished, test, vi } from "vitest";
import { send } from "../testing/send.ts";
import { createRequestLimit } from "./request-limit.ts";

/** A server that answers two requests at a time, and `/held` never. */
async function start() {
  const limit = createRequestLimit(2);
  let admitted = 0;
  const { port, close } = await listen({
    host: "127.0.0.1",
    port: 0,
    handler: (req, res) => {
      const exchange = { req, res };
      res.once("close", () => limit.release(exchange));
      if (!limit.admit(exchange)) return reply(exchange, { status: 503, text: "" });
      admitted += 1;
      req.resume();
      if (req.url !== "/held") req.once("end", () => reply(exchange, { status: 200, text: "answered" }));
    },
  });
  onTestFinished(() => close({ graceMs: 0 }));
  const url = `http://127.0.0.1:${port}`;
  return {
    port,
    url,
    limit,
    bothAdmitted: () => vi.waitFor(() => expect(admitted).toBe(2), 10_000),
    othersAreAnswered: () => vi.waitFor(async () => expect((await send(url)).status).toBe(200), 10_000),
  };
}

function openHttp2(url: string, settings = {}): ClientHttp2Session {
  const session = connectHttp2(url, { settings });
  onTestFinished(() => session.destroy());
  return session;
}

test("requests over the limit are refused and counted, until a client has gone", async () => {
  const { url, limit, bothAdmitted, othersAreAnswered } = await start();
  const session = openHttp2(url);
  for (const _ of [0, 1]) session.request({ ":path": "/held" }).on("error", () => {});
  await bothAdmitted();
  expect((await send(url)).status).toBe(503);
  expect((await send(url)).status).toBe(503);
  expect(limit.refused()).toBe(2);
  session.destroy();
  await othersAreAnswered();
});

test("a client that does not send its body takes no place from others", async () => {
  const { port, bothAdmitted, othersAreAnswered } = await start();
  for (const _ of [0, 1]) {
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n{");
  }
  await bothAdmitted();
  await othersAreAnswered();
});

test("a client that does not read its answer takes no place from others", async () => {
  const { url, bothAdmitted, othersAreAnswered } = await start();
  const session = openHttp2(url, { initialWindowSize: 0 });
  for (const _ of [0, 1]) session.request({ ":path": "/" });
  await bothAdmitted();
  await othersAreAnswered();
});
