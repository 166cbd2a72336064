import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Endpoint } from "./endpoint.ts";
import { type EndpointLimits, SMALL_ENDPOINT_LIMITS, serveEndpoint } from "./serve-endpoint.ts";

async function serve(endpoint: Endpoint, limits: Partial<EndpointLimits> = {}) {
  const lines: string[] = [];
  const ended: (number | undefined)[] = [];
  const listener = await serveEndpoint({
    endpoint,
    limits: { ...SMALL_ENDPOINT_LIMITS, ...limits },
    observer: { started() {}, ended: (status) => void ended.push(status) },
    host: "127.0.0.1",
    port: 0,
    setting: "port",
    log: pino({}, { write: (line: string) => void lines.push(line) }),
  });
  onTestFinished(() => listener.close({ graceMs: 0 }));
  const open = async (): Promise<Socket> => {
    const socket = connect(listener.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    return socket;
  };
  /** All that comes as answer to these bytes, until the server closes the connection. */
  const ask = async (sent: string): Promise<string> => {
    const socket = await open();
    socket.write(sent);
    return text(socket);
  };
  return { open, ask, ended, logged: () => lines.join("") };
}

/** Of a busy machine. */
const SOON = { timeout: 60_000 };

const head = (...lines: string[]) => ["POST / HTTP/1.1", "host: x", ...lines, "", ""].join("\r\n");
const JSON_TYPE = "content-type: application/json";
/** A whole request, the last on its connection. */
const WHOLE = `${head(JSON_TYPE, "content-length: 2", "connection: close")}{}`;
const statusOf = (answer: string) => answer.slice(0, answer.indexOf("\r\n"));

const failure = () => {
  throw new TypeError("a fault of ours");
};

describe("a fault of ours", () => {
  it.each<[string, Endpoint]>([
    ["at the head of a request", failure],
    ["later on, at its head", async () => failure()],
    ["at its body", () => ({ maxBytes: 10, read: failure })],
    ["later on, at its body", () => ({ maxBytes: 10, read: async () => failure() })],
    ["in what is answered", () => ({ status: 200, text: "", headers: { "bad header": "x" } })],
    ["in what is answered later", async () => ({ status: 200, text: "", headers: { "x-bad": "\n" } })],
    ["with no Error at all", () => Promise.reject("no error")],
  ])("is an answer with 500 and a line in the log, %s", async (_, endpoint) => {
    const { ask, logged } = await serve(endpoint);
    for (let round = 0; round < 2; round++)
      expect(statusOf(await ask(WHOLE))).toBe("HTTP/1.1 500 Internal Server Error");
    expect(logged().match(/"level":50.*a request could not be answered/g)).toHaveLength(2);
  });
});

describe("a body", () => {
  const echo: Endpoint = () => ({ maxBytes: 64, read: (body) => ({ status: 200, text: body }) });

  it.each([
    ["whole", `${head(JSON_TYPE, "content-length: 4", "connection: close")}"ü"`],
    [
      "in chunks",
      `${head(JSON_TYPE, "transfer-encoding: chunked", "connection: close")}1\r\n"\r\n2\r\nü\r\n1\r\n"\r\n0\r\n\r\n`,
    ],
  ])("is read %s", async (_, request) => {
    const { ask, ended } = await serve(echo);
    expect(await ask(request)).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n"ü"$/);
    expect(ended).toEqual([200]);
  });

  it("over the limit is 413, however many pieces it comes in", async () => {
    const { ask } = await serve(echo);
    const chunks = "1\r\nx\r\n".repeat(65);
    const answer = await ask(`${head(JSON_TYPE, "transfer-encoding: chunked", "connection: close")}${chunks}0\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*the body is over the limit of 64 bytes\n$/);
  });

  it("is asked for only where the request is one that is answered", async () => {
    const byPath: Endpoint = (req: IncomingMessage) => (req.url === "/" ? echo(req) : { status: 404, text: "no\n" });
    const { open } = await serve(byPath);
    const expecting = (path: string, type: string) =>
      [`POST ${path} HTTP/1.1`, "host: x", type, "expect: 100-continue"].join("\r\n");
    const [asked, elsewhere, untyped] = [await open(), await open(), await open()];
    elsewhere.write(`${expecting("/else", JSON_TYPE)}\r\ncontent-length: 4\r\n\r\n`);
    expect(statusOf(await text(elsewhere))).toBe("HTTP/1.1 404 Not Found");
    untyped.write(`${expecting("/", "content-type: text/plain")}\r\ncontent-length: 4\r\n\r\n`);
    expect(statusOf(await text(untyped))).toBe("HTTP/1.1 415 Unsupported Media Type");
    asked.write(`${expecting("/", JSON_TYPE)}\r\ncontent-length: 2\r\n\r\n`);
    const [first] = await once(asked, "data");
    expect(String(first)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    asked.write("{}");
    const [second] = await once(asked, "data");
    expect(String(second)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it("that never comes to its end is no answer, and no request in flight any more", async () => {
    const { open, ended } = await serve(echo);
    const socket = await open();
    socket.write(`${head(JSON_TYPE, "content-length: 20")}{`);
    socket.end();
    await expect.poll(() => ended, SOON).toEqual([undefined]);
  });
});

describe("the memory of all requests", () => {
  const maxBytes = 1024 * 1024;
  const stored: Endpoint = () => ({ maxBytes, read: ({ length }) => ({ status: 200, text: `${length}` }) });

  it("is kept within its limit: those who send slowly give way, with 503, and one that is quick is served", async () => {
    const { open, ask, ended } = await serve(stored, { maxRequestsBytes: 4 * maxBytes });
    const slow = await Promise.all(Array.from({ length: 20 }, open));
    for (const socket of slow) {
      socket.on("error", () => {}).resume();
      socket.write(`${head(JSON_TYPE, `content-length: ${maxBytes}`)}${"x".repeat(maxBytes - 1)}`);
    }
    // Three have room.
    await expect.poll(() => ended, SOON).toEqual(Array(17).fill(503));
    expect(statusOf(await ask(WHOLE))).toBe("HTTP/1.1 200 OK");
    for (const socket of slow) socket.destroy();
    await expect.poll(() => ended, SOON).toEqual([...Array(17).fill(503), 200, ...Array(3).fill(undefined)]);
  });
});

describe("a body that is more than its text once it is parsed", () => {
  const stored: Endpoint = () => ({ maxBytes: 8 * 1024 * 1024, read: () => ({ status: 200, text: "read" }) });
  const askWith = async (body: string, maxRequestsBytes: number) => {
    const { ask } = await serve(stored, { maxRequestsBytes });
    return ask(`${head(JSON_TYPE, `content-length: ${body.length}`, "connection: close")}${body}`);
  };
  const listOf = (count: number) => `[${"{},".repeat(count)}{}]`;

  it("is counted as what it becomes: a megabyte of empty objects as some 24", async () => {
    const MIB = 1024 * 1024;
    expect(statusOf(await askWith(listOf(300_000), 16 * MIB))).toBe("HTTP/1.1 503 Service Unavailable");
    expect(statusOf(await askWith(listOf(300_000), 32 * MIB))).toBe("HTTP/1.1 200 OK");
    expect(statusOf(await askWith(JSON.stringify("[{".repeat(300_000)), 16 * MIB))).toBe("HTTP/1.1 200 OK");
  });

  it.each([
    ["objects", listOf(400_000)],
    ["members", `{${'"":0,'.repeat(400_000)}"":0}`],
    ["lists within lists", "[".repeat(800_000)],
  ])("is 413 with more than 750,000 parts: %s", async (_, body) => {
    expect(await askWith(body, 64 * 1024 * 1024)).toMatch(
      /^HTTP\/1\.1 413 [\s\S]*the body has more than 750000 values and names\n$/,
    );
  });
});

describe("connections at their limit", () => {
  it("make room for a new one: those without a request first, and none that waits for us", async () => {
    const decisions: (() => void)[] = [];
    const endpoint: Endpoint = ({ method }) => {
      if (method === "GET") return { status: 200, text: "" };
      const answer = () =>
        new Promise<{ status: number; text: string }>((resolve) => {
          decisions.push(() => resolve({ status: 200, text: "decided" }));
        });
      return { maxBytes: 10, read: answer };
    };
    const { open, ask } = await serve(endpoint, { maxConnections: 4 });
    const waiting = await open();
    waiting.write(WHOLE);
    await expect.poll(() => decisions.length, SOON).toBe(1);
    const idle: Socket[] = [];
    for (let count = 0; count < 20; count++) {
      const socket = await open();
      idle.push(socket.resume());
      // Half a head, or half a body, is no request yet.
      if (count % 3 === 1) socket.write("POST / HT");
      if (count % 3 === 2) socket.write(`${head(JSON_TYPE, "content-length: 9")}{`);
    }
    expect(statusOf(await ask("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))).toBe("HTTP/1.1 200 OK");
    await expect.poll(() => idle.filter(({ closed }) => !closed).length, SOON).toBeLessThanOrEqual(3);
    expect(waiting.closed).toBe(false);
    decisions[0]?.();
    expect(await text(waiting)).toMatch(/decided$/);
  });
});
