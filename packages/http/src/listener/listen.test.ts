import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { isSecretsError } from "@flyte-secrets/core";
import { send, sendHttp2 } from "@flyte-secrets/service/testing";
import { createCertificate } from "@flyte-secrets/testkit";
import { pino } from "pino";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { NodeHandler } from "./http-exchange.ts";
import { type ListenOptions, listen } from "./listen.ts";

const HTTP2_PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

/**
 * HEADERS of stream 1 with END_STREAM and END_HEADERS: `:method: GET`, `:scheme: http`, `:path: /`, `:authority: h`
 * (RFC 7541).
 */
const HTTP2_GET = Buffer.from([0, 0, 6, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x01, 0x01, 0x68]);

/** Tells the HTTP version and how long the body was. */
const echo: NodeHandler = (req, res) => {
  let length = 0;
  req.on("data", (chunk: Buffer) => {
    length += chunk.byteLength;
  });
  req.on("end", () => res.end(`${req.httpVersion} ${req.url} ${length}`));
};

async function start(options: Partial<ListenOptions> = {}) {
  const listener = await listen({ handler: echo, host: "127.0.0.1", port: 0, ...options });
  onTestFinished(() => listener.close({ graceMs: 0 }));
  return { ...listener, url: `${options.tls ? "https" : "http"}://127.0.0.1:${listener.port}` };
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  // The server may end it at any time.
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** All that comes until the server closes the connection. */
async function readAll(socket: Socket): Promise<string> {
  socket.on("error", () => {});
  return await text(socket).catch(() => "");
}

describe("one port", () => {
  test("serves HTTP/1.1 and HTTP/2 with prior knowledge", async () => {
    const { url } = await start();
    expect((await send(`${url}/a`, { method: "POST", body: ["xyz"] })).body.toString()).toBe("1.1 /a 3");
    expect((await sendHttp2(`${url}/b`, { method: "POST", body: ["xyz"] })).body.toString()).toBe("2.0 /b 3");
  });

  test("serves both over TLS, as ALPN agrees", async () => {
    const { url, port } = await start({ tls: await createCertificate() });
    expect((await send(`${url}/a`)).body.toString()).toBe("1.1 /a 0");
    expect((await sendHttp2(`${url}/b`)).body.toString()).toBe("2.0 /b 0");
    const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
    socket.write("GET /c HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    expect(await readAll(socket)).toContain("1.1 /c 0");
  });

  test("recognises HTTP/2 and HTTP/1.1 from a start that comes byte by byte", async () => {
    const { port } = await start();
    for (const [start, answer] of [
      [HTTP2_PREFACE, 4],
      ["PUT /x HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n", "H".charCodeAt(0)],
    ] as const) {
      const socket = await open(port);
      socket.setNoDelay(true);
      for (const byte of start) {
        await new Promise((resolve) => socket.write(byte, resolve));
        await new Promise(setImmediate);
      }
      if (start === HTTP2_PREFACE) socket.write(EMPTY_SETTINGS);
      const [data]: Buffer[] = await once(socket, "data");
      // Frame type SETTINGS at offset 3, or the first letter of a status line.
      expect(start === HTTP2_PREFACE ? data?.[3] : data?.[0]).toBe(answer);
    }
  });

  test("answers pipelined requests in order", async () => {
    const { port } = await start();
    const socket = await open(port);
    socket.write("GET /1 HTTP/1.1\r\nhost: h\r\n\r\nGET /2 HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    expect((await readAll(socket)).match(/1\.1 \/\d/g)).toEqual(["1.1 /1", "1.1 /2"]);
  });

  test("answers 400 to what is no HTTP, and goes on serving", async () => {
    const { port, url } = await start();
    const socket = await open(port);
    socket.write("\x00\x01\x02\x03 hello\r\n\r\n");
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 400 /);
    expect((await send(url)).status).toBe(200);
  });

  test("drops a connection whose HTTP/2 or TLS turns out to be none, and goes on serving", async () => {
    for (const tls of [undefined, await createCertificate()]) {
      const { port, url } = await start(tls && { tls });
      const socket = await open(port);
      socket.write(`${HTTP2_PREFACE}this is no frame, and far too long to be one`);
      await readAll(socket);
      expect((await send(url)).status).toBe(200);
    }
  });
});

/** HEADERS of a POST to `/` that has a body to come, and RST_STREAM of it. */
function resetRequest(stream: number): Buffer {
  const bytes = Buffer.from([
    0, 0, 6, 1, 4, 0, 0, 0, 0, 0x83, 0x86, 0x84, 0x01, 0x01, 0x68, 0, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0, 0, 8,
  ]);
  bytes.writeUInt32BE(stream, 5);
  bytes.writeUInt32BE(stream, 20);
  return bytes;
}

describe("a client that doesn't wait for answers", () => {
  const startCounting = async () => {
    let handled = 0;
    const handler: NodeHandler = (req, res) => {
      handled += 1;
      echo(req, res);
    };
    const started = await start({ handler });
    return { ...started, handled: () => handled, socket: await open(started.port) };
  };

  test("is ended when it sends more than 32 requests ahead, and the rest of them costs nothing", async () => {
    const { url, handled, socket } = await startCounting();
    socket.write("GET / HTTP/1.1\r\nhost: h\r\n\r\n".repeat(1_000));
    await readAll(socket);
    expect(handled()).toBe(32);
    expect((await send(url)).status).toBe(200);
  });

  test("may send 32 ahead, again and again", async () => {
    const { socket } = await startCounting();
    let answers = "";
    socket.on("data", (data) => {
      answers += data;
    });
    for (let round = 1; round <= 5; round += 1) {
      socket.write("GET / HTTP/1.1\r\nhost: h\r\n\r\n".repeat(32));
      await vi.waitUntil(() => answers.match(/1\.1 \/ 0/g)?.length === 32 * round, { timeout: 60_000 });
    }
  });

  test("makes no work with requests that it resets at once, and is ended with more than 256 of them", async () => {
    const { url, handled, socket } = await startCounting();
    const resets = Array.from({ length: 900 }, (_, at) => resetRequest(2 * at + 1));
    socket.write(Buffer.concat([Buffer.from(HTTP2_PREFACE), EMPTY_SETTINGS, ...resets]));
    await readAll(socket);
    expect(handled()).toBeLessThan(90);
    expect((await sendHttp2(url)).status).toBe(200);
  });

  test("may go away at any time, also between a request's error and its telling", async () => {
    const { url, port } = await start({
      handler(req, res) {
        const hear = () => {};
        req.once("error", hear);
        res.once("close", () => req.off("error", hear));
        setImmediate(() => res.end("answer"));
      },
    });
    for (let round = 0; round < 40; round += 1) {
      const socket = await open(port);
      socket.write("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n{}".repeat(10));
      for (let turn = 0; turn < round % 8; turn += 1) await new Promise(setImmediate);
      socket.destroy();
    }
    expect((await send(url, { method: "POST" })).status).toBe(200);
  });
});

describe("slow clients", () => {
  const limits = { headersTimeoutMs: 400, requestTimeoutMs: 450, idleTimeoutMs: 500 };
  /** Where the headers come at once, but the machine may be busy. */
  const patient = { ...limits, headersTimeoutMs: 5_000, requestTimeoutMs: 5_000 };

  test.each([
    ["says nothing", ""],
    ["stops within the HTTP/2 preface", "PR"],
    ["never ends its headers", "GET / HTTP/1.1\r\nhost: h\r\n"],
    ["never ends its body", "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nabc"],
    ["sends one request and stays", "GET / HTTP/1.1\r\nhost: h\r\n\r\n"],
    ["sends the HTTP/2 preface and stays", HTTP2_PREFACE],
  ])("are cut off when one %s", async (_, bytes) => {
    const { port, url } = await start({ limits });
    const socket = await open(port);
    socket.write(bytes);
    await readAll(socket);
    expect(socket.destroyed || socket.readableEnded).toBe(true);
    // On a busy machine a request may itself be too slow for these limits.
    await vi.waitFor(async () => expect((await send(url)).status).toBe(200), 60_000);
  });

  test("keep no idle HTTP/2 connection alive with pings", async () => {
    const { url } = await start({ limits: patient });
    const session = connectHttp2(url);
    const pings = setInterval(() => !session.closed && session.ping(() => {}), 20);
    onTestFinished(() => clearInterval(pings));
    await once(session, "close");
  });

  test("get a reset when the body of an HTTP/2 request doesn't end in time, and the connection stays", async () => {
    const { url } = await start({ limits: { ...limits, idleTimeoutMs: 10_000 } });
    const session = connectHttp2(url);
    onTestFinished(() => session.destroy());
    const slow = session.request({ ":method": "POST", ":path": "/slow" });
    slow.on("error", () => {});
    slow.write("a");
    await once(slow, "close");
    expect(slow.rstCode).toBe(constants.NGHTTP2_CANCEL);
    const quick = session.request({ ":path": "/quick" });
    expect(await text(quick)).toBe("2.0 /quick 0");
  });

  test.each([
    ["HTTP/1.1", Buffer.from("GET / HTTP/1.1\r\nhost: h\r\n\r\n")],
    ["HTTP/2", Buffer.concat([Buffer.from(HTTP2_PREFACE), EMPTY_SETTINGS, HTTP2_GET])],
  ])("don't hold an answer over %s that they never read", async (_, request) => {
    const ended = Promise.withResolvers<void>();
    const handler: NodeHandler = (_, res) => {
      res.once("close", ended.resolve);
      res.end(Buffer.alloc(64 * 1024 * 1024));
    };
    const { port } = await start({ limits: patient, handler });
    const socket = await open(port);
    socket.on("error", () => {});
    socket.pause();
    socket.write(request);
    await ended.promise;
  });

  test("don't hold up a TLS handshake for ever", async () => {
    const { port } = await start({ limits, tls: await createCertificate() });
    const socket = await open(port);
    socket.write(Buffer.from([0x16, 0x03, 0x01]));
    await readAll(socket);
    expect(socket.destroyed || socket.readableEnded).toBe(true);
  });
});

describe("a handler that has not answered", () => {
  test.each([
    ["HTTP/2", "http"],
    ["HTTP/2 with TLS", "https"],
  ])("is told at once that its client has closed the connection, over %s", async (_, scheme) => {
    const arrived = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const handler: NodeHandler = (_, res) => {
      res.once("close", gone.resolve);
      arrived.resolve();
    };
    const patient = { requestTimeoutMs: 600_000, idleTimeoutMs: 600_000 };
    const tls = scheme === "https" ? { tls: await createCertificate() } : {};
    const { port } = await start({ handler, limits: patient, ...tls });
    const session = connectHttp2(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false });
    session.request({ ":path": "/" }).on("error", () => {});
    await arrived.promise;
    session.destroy();
    await gone.promise;
  });
});

describe("a connection over the limit", () => {
  const GET = (path: string) => `GET ${path} HTTP/1.1\r\nhost: h\r\n\r\n`;
  const ask = async (socket: Socket, path: string) => {
    socket.write(GET(path));
    const [answer] = await once(socket, "data");
    expect(String(answer)).toContain(`1.1 ${path} 0`);
  };

  test.each([
    ["in all", { maxConnections: 2 }],
    ["of its address", { maxConnectionsPerAddress: 2 }],
  ])("%s ends an unused one before one that was used, though that has been idle longer", async (_, limits) => {
    const { port } = await start({ limits: { ...limits, firstRequestMs: 0 } });
    const used = await open(port);
    await ask(used, "/1");
    const unused = await open(port);
    const third = await open(port);
    expect(await readAll(unused)).toBe("");
    await ask(third, "/2");
    await ask(used, "/3");
  });

  test.each([
    [{ maxConnections: 1 }, undefined],
    [{ maxConnectionsPerAddress: 1 }, "127.0.0.1"],
  ])("is told to the log once a minute, with the settings: %o", async (limits, address) => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const { port } = await start({ limits, log });
    for (let i = 0; i < 3; i += 1) await ask(await open(port), "/");
    const msg =
      "more connections than secret.server.limits.connections, or connectionsPerAddress of one address: new ones take the place of idle ones";
    expect(lines.map(({ msg, address }) => ({ msg, address }))).toEqual([{ msg, address }]);
  });

  test("ends one that was used before a new one, which gets time to come with its request", async () => {
    const { port } = await start({ limits: { maxConnections: 2, firstRequestMs: 60_000 } });
    const used = await open(port);
    await ask(used, "/1");
    const [second, third] = [await open(port), await open(port)];
    expect(await readAll(used)).toBe("");
    await ask(second, "/2");
    await ask(third, "/3");
  });

  test("ends the one that has been idle longest where all were used", async () => {
    const { port } = await start({ limits: { maxConnections: 2 } });
    const [first, second] = [await open(port), await open(port)];
    for (const socket of [first, second, first]) await ask(socket, "/");
    const third = await open(port);
    await ask(third, "/3");
    expect(await readAll(second)).toBe("");
    await ask(first, "/4");
  });

  test.each([
    ["stops within the HTTP/2 preface", "PR"],
    ["sends the HTTP/2 preface alone", HTTP2_PREFACE],
    ["doesn't end its headers", "GET / HTTP/1.1\r\n"],
    ["doesn't end its body", "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nabc"],
  ])("ends one that %s", async (_, bytes) => {
    const { port } = await start({ limits: { maxConnections: 1 } });
    const stuck = await open(port);
    stuck.write(bytes);
    const next = await open(port);
    await ask(next, "/");
    expect(await readAll(stuck)).toBe("");
  });

  test("ends a TLS handshake that doesn't go on", async () => {
    const { port, url } = await start({ limits: { maxConnections: 1 }, tls: await createCertificate() });
    const stuck = await open(port);
    stuck.write(Buffer.from([0x16, 0x03, 0x01]));
    expect((await send(url)).status).toBe(200);
    expect(await readAll(stuck)).toBe("");
    expect((await sendHttp2(url)).status).toBe(200);
  });

  test("is dropped itself while all others wait for their answer, on either protocol", async () => {
    const waiting: (() => void)[] = [];
    const arrived = Promise.withResolvers<void>();
    const handler: NodeHandler = (_, res) => {
      waiting.push(() => res.end("finished"));
      if (waiting.length === 2) arrived.resolve();
    };
    const { url, port } = await start({ handler, limits: { maxConnections: 2 } });
    const answers = Promise.all([send(url), sendHttp2(url)]);
    await arrived.promise;
    expect(await readAll(await open(port))).toBe("");
    for (const finish of waiting) finish();
    expect((await answers).map(({ body }) => body.toString())).toEqual(["finished", "finished"]);
  });
});

describe("Expect: 100-continue", () => {
  const POST = (path: string) =>
    `POST ${path} HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n`;
  /** Reads the body of all but /refused. */
  const handler: NodeHandler = (req, res) => {
    if (req.url !== "/refused") return echo(req, res);
    res.statusCode = 401;
    res.end("no");
  };

  test("is answered when the body is read, and the connection serves further requests", async () => {
    const { port } = await start({ handler });
    const socket = await open(port);
    socket.write(POST("/a"));
    const [go] = await once(socket, "data");
    expect(String(go)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    socket.write(`xyz${POST("/refused")}`);
    const rest = await readAll(socket);
    expect(rest).toContain("1.1 /a 3");
    expect(rest).toMatch(/HTTP\/1\.1 401 .*\r\nconnection: close\r\n/);
    expect(rest).not.toContain("100 Continue");
  });

  test("is answered on HTTP/2 when the body is read, and not before a refusal", async () => {
    const { url } = await start({ handler });
    const session = connectHttp2(url);
    onTestFinished(() => session.destroy());
    const post = { ":method": "POST", expect: "100-continue" };
    const taken = session.request({ ...post, ":path": "/a" });
    taken.on("continue", () => taken.end("xyz"));
    expect(await text(taken)).toBe("2.0 /a 3");
    const refused = session.request({ ...post, ":path": "/refused" });
    refused.on("continue", () => expect.unreachable());
    expect(await text(refused)).toBe("no");
  });
});

describe("a handler that throws", () => {
  const throwing: [string, ListenOptions["handler"]][] = [
    ["at once", () => expect.fail("at once")],
    ["later", () => Promise.reject(new Error("later"))],
  ];

  test.each(throwing)("%s is answered with 500, and the server goes on", async (_, handler) => {
    const { url } = await start({ handler: (req, res) => (req.url === "/good" ? echo(req, res) : handler(req, res)) });
    const message = "internal error, see the server's log";
    for (const sendIt of [send, sendHttp2]) {
      const { status, body } = await sendIt(`${url}/bad`);
      expect([status, JSON.parse(body.toString())]).toEqual([500, { code: "internal", message }]);
      expect((await sendIt(`${url}/good`)).status).toBe(200);
    }
  });

  test("after it began to answer has its connection ended, and the server goes on", async () => {
    const { url } = await start({
      handler(req, res) {
        if (req.url === "/good") return echo(req, res);
        res.writeHead(200, { "content-length": 10 });
        res.write("half");
        throw new Error("in the middle");
      },
    });
    await expect(send(`${url}/bad`)).rejects.toThrow();
    expect((await send(`${url}/good`)).status).toBe(200);
  });
});

describe("close", () => {
  test("lets requests in flight finish on both protocols, and refuses new connections", async () => {
    const waiting: (() => void)[] = [];
    const arrived = Promise.withResolvers<void>();
    const handler: NodeHandler = (_, res) => {
      waiting.push(() => res.end("finished"));
      if (waiting.length === 2) arrived.resolve();
    };
    const { url, port, close } = await start({ handler });
    const answers = Promise.all([send(url, { headers: { connection: "keep-alive" } }), sendHttp2(url)]);
    const idle = await open(port);
    await arrived.promise;
    const closed = close({ graceMs: 10_000 });
    await readAll(idle);
    await expect(open(port)).rejects.toThrow("ECONNREFUSED");
    for (const finish of waiting) finish();
    expect((await answers).map(({ body }) => body.toString())).toEqual(["finished", "finished"]);
    await closed;
  });

  test("cuts off what is not done when the grace period is over", async () => {
    const arrived = Promise.withResolvers<void>();
    const { url, close } = await start({ handler: () => arrived.resolve() });
    const failed = send(url).catch((error: NodeJS.ErrnoException) => error.code);
    await arrived.promise;
    await close({ graceMs: 20 });
    expect(await failed).toBe("ECONNRESET");
  });

  test("closes keep-alive connections once their request is answered", async () => {
    const arrived = Promise.withResolvers<() => void>();
    const { port, close } = await start({ handler: (_, res) => arrived.resolve(() => res.end("done")) });
    const socket = await open(port);
    socket.write("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    const finish = await arrived.promise;
    const closed = close({ graceMs: 60_000 });
    finish();
    expect(await readAll(socket)).toContain("done");
    await closed;
  });
});

test("close doesn't wait for a TLS handshake that has begun", async () => {
  const { port, close } = await start({ tls: await createCertificate() });
  const socket = await open(port);
  socket.write(Buffer.from([0x16, 0x03, 0x01]));
  // Its connection is accepted once that of a later one is served.
  expect((await send(`https://127.0.0.1:${port}/`)).status).toBe(200);
  await close({ graceMs: 600_000 });
  expect(await readAll(socket)).toBe("");
});

test("close doesn't wait for a TLS connection that has never carried a request", async () => {
  const { port, close } = await start({ tls: await createCertificate(), limits: { idleTimeoutMs: 600_000 } });
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  // A connection is served once one that was opened later is.
  expect((await send(`https://127.0.0.1:${port}/`)).status).toBe(200);
  await close({ graceMs: 600_000 });
  expect(await readAll(socket)).toBe("");
});

test("drain ends each connection with its next answer, and new ones are accepted", async () => {
  const arrived = Promise.withResolvers<() => void>();
  const handler: NodeHandler = (req, res) => {
    if (req.url === "/slow") arrived.resolve(() => res.end("slow"));
    else res.end("quick");
  };
  const { port, drain } = await start({ handler });
  const socket = await open(port);
  socket.write("GET /slow HTTP/1.1\r\nhost: h\r\n\r\n");
  const finish = await arrived.promise;
  drain();
  const later = await open(port);
  later.write("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  finish();
  for (const [connection, answer] of [
    [socket, "slow"],
    [later, "quick"],
  ] as const) {
    expect(await readAll(connection)).toMatch(new RegExp(`^HTTP/1\\.1 200 [^]*connection: close[^]*${answer}$`, "i"));
  }
});

describe("HTTP/1.1 alone", () => {
  test("is agreed on with TLS, and HTTP/2 with prior knowledge is no request", async () => {
    const { port } = await start({ http2: false, tls: await createCertificate() });
    const offers = { port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2", "http/1.1"] };
    const secure = connectTls(offers);
    await once(secure, "secureConnect");
    expect(secure.alpnProtocol).toBe("http/1.1");
    secure.destroy();
    const plain = await start({ http2: false });
    const socket = await open(plain.port);
    socket.write(HTTP2_PREFACE);
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 400 /);
    expect((await send(plain.url)).status).toBe(200);
  });
});

test("an address that is taken is an error that names the setting", async () => {
  const { port } = await start();
  const error = await listen({ handler: echo, host: "127.0.0.1", port }).catch((reason: unknown) => reason);
  expect(isSecretsError(error, "listen_failed") && error.message).toBe(
    `127.0.0.1:${port} is in use: stop the other server, or choose another port (secret.server.port)`,
  );
});
