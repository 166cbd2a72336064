import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import { expect, it, onTestFinished } from "vitest";
import type { Endpoint } from "./endpoint.ts";
import { listenHttp1 } from "./listen-http1.ts";

const REQUEST = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
/** Long enough that a stall of the machine is no idleness. */
const IDLE_MS = 1000;

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

it("closes a connection on which nothing moves, and none before", async () => {
  const open = await serve(answered);
  const [quiet, busy] = [(await open()).resume(), (await open()).resume()];
  quiet.write(REQUEST);
  const opened = performance.now();
  const closed = once(quiet, "close").then(() => performance.now() - opened);
  for (let turn = 0; turn < 10; turn++) {
    busy.write(REQUEST);
    await delay(IDLE_MS / 3);
  }
  expect(await closed).toBeGreaterThanOrEqual(IDLE_MS);
  expect(busy.destroyed).toBe(false);
  expect(quiet.bytesRead).toBeGreaterThan(0);
});

it("keeps a connection open that was made just before it looks for idle ones", async () => {
  const open = await serve(answered);
  await delay(IDLE_MS * 0.8);
  const fresh = (await open()).resume();
  await delay(IDLE_MS * 0.5);
  fresh.write(REQUEST);
  const [answer] = await once(fresh, "data");
  expect(String(answer)).toMatch(/^HTTP\/1.1 200 OK\r\n/);
});

it("closes a connection whose client doesn't read the answer", async () => {
  const open = await serve(() => ({ status: 200, text: "x".repeat(64 * 1024 * 1024) }));
  const socket = (await open()).pause();
  socket.write(REQUEST);
  await delay(IDLE_MS * 3);
  const ended = once(socket, "close");
  // What had been sent is still there to be read; the rest never comes.
  socket.on("error", () => {}).resume();
  await ended;
  expect(socket.bytesRead).toBeLessThan(64 * 1024 * 1024);
});
