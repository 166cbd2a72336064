import type { ServerResponse } from "node:http";
import { createManualClock, type ManualClock } from "@flyte-secrets/testkit";
import { pino } from "pino";
import { expect, onTestFinished, test, vi } from "vitest";
import { runInformer } from "./informer.ts";
import { type KubeSecret, SECRETS } from "./objects.ts";
import { type Answer, startScriptedApiServer, status, tooLong } from "./testing/scripted-api-server.ts";

const object = (name: string, resourceVersion: string) => ({ metadata: { name, resourceVersion } });
const list = (resourceVersion: string, names: string[], next?: string): Answer => ({
  status: 200,
  json: { metadata: { resourceVersion, continue: next }, items: names.map((name) => object(name, "1")) },
});
const line = (type: string, name: string, version: string) =>
  `${JSON.stringify({ type, object: object(name, version) })}\n`;

/** Runs an informer on a scripted API server; `received` are the events that its handler got. */
async function start(script: Answer[]) {
  const api = await startScriptedApiServer(script);
  const clock = createManualClock();
  const received: string[] = [];
  const record = (word: string) => (secret: KubeSecret) => void received.push(`${word} ${secret.metadata.name}`);
  const informer = runInformer({
    client: api.connect(clock),
    resource: SECRETS,
    selector: { namespace: "flyte", labelSelector: "a=b" },
    handler: {
      onReplace: (objects) => void received.push(`all: ${objects.map(({ metadata }) => metadata.name)}`),
      onUpsert: record("upsert"),
      onDelete: record("delete"),
    },
    clock,
    log: pino({ level: "silent" }),
  });
  onTestFinished(() => informer.close());
  const urls = () => api.seen.map(({ url }) => new URL(url ?? "", "http://x").searchParams);
  return { informer, clock, received, urls };
}

/** Lets time pass until something holds. */
async function passTime(clock: ManualClock, holds: () => boolean): Promise<void> {
  while (!holds()) await clock.advance(50);
}

test("it tells of all objects of all pages once, then of each change", async () => {
  const { informer, clock, received, urls } = await start([
    list("4", ["a", "b"], "page2"),
    list("5", ["c"]),
    (res) => res.write(line("MODIFIED", "a", "6") + line("DELETED", "b", "7") + line("ADDED", "d", "8")),
  ]);
  expect(informer.problem()).toBe("not read yet");
  await informer.synced;
  await passTime(clock, () => received.length === 4);
  expect(received).toEqual(["all: a,b,c", "upsert a", "delete b", "upsert d"]);
  expect(informer.problem()).toBeUndefined();
  expect(
    urls().map((query) => [query.get("labelSelector"), query.get("continue"), query.get("resourceVersion")]),
  ).toEqual([
    ["a=b", null, null],
    ["a=b", "page2", null],
    ["a=b", null, "5"],
  ]);
});

test("a watch that ends or breaks is resumed after the last event or bookmark, with nothing told twice", async () => {
  const { clock, received, urls } = await start([
    list("5", ["a"]),
    (res) => res.end(line("MODIFIED", "a", "6")),
    (res) => {
      res.write(line("BOOKMARK", "a", "9"));
      setImmediate(() => res.destroy());
    },
    status(503, "ServiceUnavailable"),
    (res) => res.write(line("DELETED", "a", "10")),
  ]);
  await passTime(clock, () => received.length === 3);
  expect(received).toEqual(["all: a", "upsert a", "delete a"]);
  expect(urls().map((query) => query.get("resourceVersion"))).toEqual([null, "5", "6", "9", "9"]);
});

test("a watch that was opened is relied on after a second, when it has delivered what happened before", async () => {
  const opened = (res: ServerResponse) => res.writeHead(200).flushHeaders();
  const { informer, clock, urls } = await start([list("5", ["a"]), (res) => res.end(), opened]);
  await passTime(clock, () => urls().length === 3);
  const reopenedAt = clock.elapsed();
  expect(informer.isWatching()).toBe(false);
  await passTime(clock, () => informer.isWatching());
  expect(clock.elapsed() - reopenedAt).toBeGreaterThanOrEqual(1_000);
});

test("when the place is forgotten everything is listed again", async () => {
  const { clock, received } = await start([
    list("5", ["a", "b"]),
    status(410, "Expired"),
    list("90", ["b"]),
    (res) => res.write(line("ADDED", "c", "91")),
  ]);
  await passTime(clock, () => received.length === 3);
  expect(received).toEqual(["all: a,b", "all: b", "upsert c"]);
});

test("a watch that falls silent is replaced by another from the same place", async () => {
  const { clock, received, urls } = await start([
    list("5", ["a"]),
    (res) => res.writeHead(200).flushHeaders(),
    (res) => res.write(line("MODIFIED", "a", "6")),
  ]);
  await passTime(clock, () => urls().length === 2);
  await passTime(clock, () => received.length === 2);
  expect(clock.elapsed()).toBeGreaterThanOrEqual(150_000);
  expect(received).toEqual(["all: a", "upsert a"]);
});

test("a watch that tells something now and then is kept, however long it has been open", async () => {
  let tell = (_: string) => {};
  const { informer, clock, urls } = await start([
    list("5", ["a"]),
    (res) => {
      tell = (text) => void res.write(text);
      res.writeHead(200).flushHeaders();
    },
  ]);
  await passTime(clock, () => urls().length === 2);
  for (let told = 1; told <= 6; told++) {
    await clock.advance(149_000);
    tell(line(told % 2 === 0 ? "BOOKMARK" : "MODIFIED", "a", String(5 + told)));
    // What it says arrives without the clock.
    await vi.waitFor(() => expect(informer.silentMs()).toBe(0), 60_000);
  }
  expect(urls()).toHaveLength(2);
});

test("while the API server fails it says why, asks less and less often, and recovers by itself", async () => {
  const forbidden = status(403, "Forbidden", { message: 'User "u" cannot list resource "secrets"' });
  const { informer, clock, received, urls } = await start([...Array(8).fill(forbidden), list("5", ["a"])]);
  await passTime(clock, () => urls().length === 8);
  expect(informer.problem()).toMatch(/^list secrets in namespace flyte: we have no permission to list secrets/);
  // 250 ms doubled each time, of which at least half is waited.
  expect(clock.elapsed()).toBeGreaterThan(0.5 * 250 * (2 ** 5 - 1));
  await passTime(clock, () => received.length === 1);
  await passTime(clock, () => urls().length === 10);
  expect(informer.problem()).toBeUndefined();
  const before = informer.silentMs();
  await clock.advance(1000);
  expect(informer.silentMs()).toBe(before + 1000);
});

test("a server that accepts watches only to end them is not asked without pause", async () => {
  const { clock, urls } = await start([list("5", []), ...Array(30).fill((res: { end(): void }) => res.end())]);
  await passTime(clock, () => urls().length === 10);
  expect(clock.elapsed()).toBeGreaterThan(1000);
});

test("an API server whose every event is too long is asked less and less often", async () => {
  const { informer, clock, urls } = await start([list("5", ["a"]), ...Array(5).fill(tooLong(200))]);
  await passTime(clock, () => urls().length === 6);
  expect(clock.elapsed()).toBeGreaterThan(0.5 * 250 * (2 ** 4 - 1));
  await passTime(clock, () => informer.problem() !== undefined);
  expect(informer.problem()).toMatch(/answers with more than 20971520 bytes/);
});

test("large objects are listed a few at a time, and none is left out", async () => {
  const names = Array.from({ length: 20 }, (_, at) => `secret-${at + 10}`);
  const all = names.map((name) => ({ ...object(name, "1"), data: { key: "x".repeat(1_400_000) } }));
  const limits: (string | null)[] = [];
  const answer: Answer = (res, { url = "" }) => {
    const query = new URL(url, "http://x").searchParams;
    if (query.has("watch")) return;
    limits.push(query.get("limit"));
    const from = Number(query.get("continue") ?? 0);
    const end = from + Number(query.get("limit"));
    const next = end < all.length ? String(end) : undefined;
    res.end(JSON.stringify({ metadata: { resourceVersion: "5", continue: next }, items: all.slice(from, end) }));
  };
  const { informer, received } = await start(Array(50).fill(answer));
  await informer.synced;
  expect(received).toEqual([`all: ${names}`]);
  expect(limits.join(" ")).toBe("500 250 125 62 31 15 7 3 6 3 6 3 6 3 6 3 6");
});

test("a closed informer ends at once and leaves no timer", async () => {
  const { informer, clock, urls } = await start([list("5", []), () => {}]);
  await passTime(clock, () => urls().length === 2);
  await informer.close();
  await informer.close();
  expect(clock.timers).toBe(0);
});

test.each([
  ["ends", (res: ServerResponse) => void res.end()],
  ["ends after it has told something", (res: ServerResponse) => void res.end(line("BOOKMARK", "a", "6"))],
])("an API server whose every watch %s at once is asked less and less often", async (_, end) => {
  const { informer, clock, urls } = await start([list("5", ["a"]), ...Array(60).fill(end)]);
  await passTime(clock, () => urls().length === 8);
  const from = clock.elapsed();
  await passTime(clock, () => urls().length === 16);
  // Of 2 s at least half is waited.
  expect(clock.elapsed() - from).toBeGreaterThanOrEqual(8 * 1000);
  expect(informer.problem()).toBeUndefined();
});

test("an API server that forgets every place at once is not listed again and again", async () => {
  const script = Array.from({ length: 12 }, (_, round) => [list(String(round + 5), ["a"]), status(410, "Expired")]);
  const { clock, received } = await start(script.flat());
  await passTime(clock, () => received.length === 6);
  const from = clock.elapsed();
  await passTime(clock, () => received.length === 10);
  expect(clock.elapsed() - from).toBeGreaterThanOrEqual(4 * 1000);
});

test("objects are stale once the watch has failed for 10 s, and fresh again when it goes on", async () => {
  const { informer, clock } = await start([
    list("5", ["a"]),
    ...Array(12).fill(status(503, "ServiceUnavailable")),
    (res) => res.writeHead(200).flushHeaders(),
  ]);
  expect(informer.isFresh()).toBe(false);
  await informer.synced;
  expect(informer.isFresh()).toBe(true);
  await passTime(clock, () => informer.problem() !== undefined);
  const failedAt = clock.elapsed();
  await passTime(clock, () => !informer.isFresh());
  expect(clock.elapsed() - failedAt).toBeGreaterThanOrEqual(9_950);
  expect(informer.staleReason()).toMatch(/answers 503/);
  await passTime(clock, () => informer.isFresh());
  expect(informer.problem()).toBeUndefined();
});

test("objects are stale once the watch was silent for 100 s, also while the next watch only begins to fail", async () => {
  const { informer, clock, urls } = await start([
    list("5", ["a"]),
    (res) => res.writeHead(200).flushHeaders(),
    ...Array(3).fill(status(503, "ServiceUnavailable")),
  ]);
  await passTime(clock, () => urls().length === 2);
  await passTime(clock, () => !informer.isFresh());
  expect(informer.staleReason()).toBe("the watch has been silent for 100 s");
  await passTime(clock, () => informer.problem() !== undefined);
  expect(informer.isFresh()).toBe(false);
});
