import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { Code, ConnectError } from "@connectrpc/connect";
import { listen } from "@flyte-secrets/http";
import { expect, onTestFinished, test } from "vitest";
import { send, sendHttp2 } from "../testing/send.ts";
import { createBodyBudget } from "./body-budget.ts";

/** Answers with the length of the body, or with why it was refused; `held` is called once the body has arrived. */
async function start(maxBytes: number, held: () => Promise<void> = async () => {}) {
  const bodies = createBodyBudget(maxBytes);
  const reading = new Set<string | undefined>();
  const listener = await listen({
    host: "127.0.0.1",
    port: 0,
    async handler(req, res) {
      let length = 0;
      try {
        for await (const chunk of bodies.read({ req, res })) {
          length += chunk.byteLength;
          reading.add(req.url);
        }
        await held();
        res.end(String(length));
      } catch (error) {
        const { code, rawMessage } = ConnectError.from(error);
        res.end(`${Code[code]}: ${rawMessage}`);
      }
    },
  });
  onTestFinished(() => listener.close({ graceMs: 0 }));
  /** Begins a request and sends that much of its body. */
  const begin = async (path: string, { promised, sent }: { promised: number; sent: number }): Promise<Socket> => {
    const socket = connect(listener.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {});
    socket.write(`POST ${path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: ${promised}\r\n\r\n`);
    socket.write("x".repeat(sent));
    await expect.poll(() => reading.has(path)).toBe(true);
    return socket;
  };
  return { begin, url: `http://127.0.0.1:${listener.port}` };
}

const OVER =
  "Unavailable: the bodies of all requests in flight are over 100 bytes (secret.server.limits.bodyBytes): send this one again";
const post = (length: number) => ({ method: "POST", body: ["x".repeat(length)] });

test("the body that has been arriving longest gives way, by what it promises, and the others are read", async () => {
  const { begin, url } = await start(100);
  const first = await begin("/first", { promised: 50, sent: 1 });
  const second = await begin("/second", { promised: 50, sent: 1 });
  expect((await send(url, post(30))).body.toString()).toBe("30");
  expect(await text(first)).toContain(OVER);
  second.write("x".repeat(49));
  expect(await text(second)).toMatch(/\r\n\r\n50$|50/);
});

test.each([
  ["HTTP/1.1", send],
  ["HTTP/2", sendHttp2],
])("a body that is over the budget by itself is refused, promised or not, on %s, and costs no other its place", async (_, sendIt) => {
  const { begin, url } = await start(100);
  const other = await begin("/other", { promised: 50, sent: 1 });
  expect((await sendIt(url, { ...post(101), headers: { "content-length": "101" } })).body.toString()).toBe(OVER);
  expect((await sendIt(url, post(101))).body.toString()).toBe(OVER);
  other.write("x".repeat(49));
  expect(await text(other)).toContain("50");
});

test("a body counts until its request is answered, and then no longer", async () => {
  const gate = Promise.withResolvers<void>();
  const { begin, url } = await start(100, () => gate.promise);
  const held = await begin("/held", { promised: 80, sent: 80 });
  expect((await send(url, post(30))).body.toString()).toBe(OVER);
  gate.resolve();
  await once(held.resume(), "close");
  expect((await send(url, post(100))).body.toString()).toBe("100");
});

test("the body of a client that has gone away before it is read does not count, and reading it ends", async () => {
  const bodies = createBodyBudget(100);
  const outcome = Promise.withResolvers<unknown>();
  const listener = await listen({
    host: "127.0.0.1",
    port: 0,
    async handler(req, res) {
      const body = bodies.read({ req, res });
      await once(res, "close");
      outcome.resolve([await body.whole(100), await body[Symbol.asyncIterator]().next().catch(String)]);
    },
  });
  onTestFinished(() => listener.close({ graceMs: 0 }));
  const socket = connect(listener.port, "127.0.0.1");
  socket.write("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 90\r\n\r\nx", () => socket.destroy());
  expect(await outcome.promise).toEqual([undefined, "ConnectError: [canceled] the client went away"]);
  expect(bodies.heldBytes()).toBe(0);
});

test("a client that goes away gives back what it held", async () => {
  const { begin, url } = await start(100);
  const gone = await begin("/gone", { promised: 90, sent: 10 });
  gone.destroy();
  await expect.poll(async () => (await send(url, post(95))).body.toString()).toBe("95");
});
