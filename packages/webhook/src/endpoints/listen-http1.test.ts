import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import type { Endpoint } from "./endpoint.ts";
import { listenHttp1 } from "./listen-http1.ts";

const REQUEST = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
const IDLE_MS = 1000;

// Looking for idle connections is the one interval: it comes when a test says so, however busy the machine is.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

async function serve(endpoint: Endpoint) {
  const log = pino({ level: "silent" });
  const listener = await listenHttp1({
    endpoint,
    host: "127.0.0.1",
    port: 0,
    setting: "port",
    idleTimeoutMs: IDLE_MS,
    log,
  });
  onTestFinished(() => listener.close({ graceMs: 0 }));
  return async (): Promise<Socket> => {
    const socket = connect(listener.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    return socket;
  };
}

const answered: Endpoint = () => ({ status: 200, text: "done" });

/** Sends a request and waits for the answer. */
async function exchange(socket: Socket): Promise<string> {
  socket.write(REQUEST);
  const [answer] = await once(socket, "data");
  return String(answer);
}

it("closes a connection on which nothing moves, and none before", async () => {
  const open = await serve(answered);
  const [quiet, busy] = [await open(), await open()];
  await exchange(quiet);
  await exchange(busy);
  const closed = once(quiet, "close");
  vi.advanceTimersByTime(IDLE_MS);
  // Both were used since they were opened, and still are open.
  for (const socket of [quiet, busy]) expect(await exchange(socket)).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  vi.advanceTimersByTime(IDLE_MS);
  expect(await exchange(busy)).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  vi.advanceTimersByTime(IDLE_MS);
  await closed;
  expect(await exchange(busy)).toMatch(/^HTTP\/1.1 200 OK\r\n/);
});

it("keeps a connection open that was made just before it looks for idle ones", async () => {
  const open = await serve(answered);
  vi.advanceTimersByTime(IDLE_MS - 1);
  const fresh = await open();
  await exchange(await open());
  vi.advanceTimersByTime(1);
  expect(await exchange(fresh)).toMatch(/^HTTP\/1.1 200 OK\r\n/);
});

it("closes a connection whose client doesn't read the answer", async () => {
  const open = await serve(() => ({ status: 200, text: "x".repeat(64 * 1024 * 1024) }));
  const socket = (await open()).pause();
  socket.write(REQUEST);
  // It moves until the buffers on the way are full.
  for (let turn = 0; turn < 50; turn++) {
    vi.advanceTimersByTime(IDLE_MS);
    await delay(10);
  }
  const ended = once(socket, "close");
  // What had been sent is still there to be read; the rest never comes.
  socket.on("error", () => {}).resume();
  await ended;
  expect(socket.bytesRead).toBeLessThan(64 * 1024 * 1024);
});
