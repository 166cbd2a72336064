import {
  encodeSecretId,
  type FetchedValue,
  type SecretFetcher,
  type SecretId,
  SecretsError,
  SecretValue,
} from "@flyte-secrets/core";
import fc from "fast-check";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { type CachedLookupOptions, createCachedLookup } from "./cached-lookup.ts";
import { NO_METRICS } from "./lookup-metrics.ts";

const scope = { org: "flyte", domain: "development", project: "shop" };
const project: SecretId = { ...scope, name: "api-key" };
const domain: SecretId = { ...project, project: "" };
const global: SecretId = { ...domain, domain: "" };
const down = new SecretsError("store_unavailable", "down");

/** A secret manager that the test holds in its hand: what it has, whether it is down, and when its calls end. */
function createBackend() {
  const values = new Map<string, FetchedValue>();
  const calls: string[][] = [];
  let gate: { promise: Promise<void>; open: () => void } | undefined;
  const backend = {
    calls,
    failure: undefined as SecretsError | undefined,
    set: (id: SecretId, text: string) => values.set(encodeSecretId(id), SecretValue.fromText(text)),
    damage: (id: SecretId) => values.set(encodeSecretId(id), new SecretsError("store_damaged", "damaged")),
    remove: (id: SecretId) => values.delete(encodeSecretId(id)),
    /** Calls take what is there when they begin, and end when the function that is returned is called. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = { promise, open: resolve };
      return () => {
        gate = undefined;
        resolve();
      };
    },
    fetcher: {
      name: "Test",
      async fetch(ids) {
        calls.push(ids.map(({ domain, project, name }) => `${domain}/${project}/${name}`));
        const { failure } = backend;
        const found = new Map(ids.map((id) => [id, values.get(encodeSecretId(id))] as const));
        await gate?.promise;
        if (failure) throw failure;
        return new Map([...found].flatMap(([id, value]) => (value ? [[id, value] as const] : [])));
      },
    } satisfies SecretFetcher,
  };
  return backend;
}

function setUp(options: Partial<CachedLookupOptions> = {}) {
  const backend = createBackend();
  const time = { now: 0 };
  const logged: string[] = [];
  const counts = { memory: 0, backend: 0, expired: 0, fetched: {} as Record<string, number> };
  const lookup = createCachedLookup({
    fetcher: backend.fetcher,
    expiry: { ttlMs: 10_000, negativeTtlMs: 1_000, staleMs: 60_000 },
    maxBytes: 1_000_000,
    timeoutMs: 10_000,
    clock: () => time.now,
    log: pino({ level: "warn" }, { write: (line: string) => void logged.push(line) }),
    metrics: {
      ...NO_METRICS,
      answered: (from) => void counts[from]++,
      expiredUsed: () => void counts.expired++,
      fetched(outcome) {
        counts.fetched[outcome] = (counts.fetched[outcome] ?? 0) + 1;
      },
    },
    ...options,
  });
  onTestFinished(() => lookup.close());
  const find = async (key = "api-key", from = scope) => {
    const result = await lookup.find(from, key);
    return result.found ? `${result.level} ${result.value.revealText()}` : "nowhere";
  };
  return { backend, lookup, time, counts, logged, find };
}

/** Lets everything happen that is already on its way. */
const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

test("what was found, and what was not, is asked for once", async () => {
  const { backend, find, counts } = setUp();
  backend.set(global, "g");
  expect([await find(), await find(), await find("other"), await find("other")]).toEqual([
    "global g",
    "global g",
    "nowhere",
    "nowhere",
  ]);
  expect(backend.calls).toEqual([
    ["development/shop/api-key", "development//api-key", "//api-key"],
    ["development/shop/other", "development//other", "//other"],
  ]);
  expect(counts).toEqual({ memory: 2, backend: 2, expired: 0, fetched: { ok: 6 } });
});

test("the answer from memory is the answer from the backend", async () => {
  const { backend, lookup } = setUp();
  backend.set(domain, "d");
  const first = await lookup.find(scope, "api-key");
  expect(await lookup.find(scope, "api-key")).toEqual(first);
  const [narrow, found] = [project, domain].map(encodeSecretId);
  expect(first).toEqual({
    found: true,
    id: domain,
    level: "domain",
    value: SecretValue.fromText("d"),
    attempts: [
      { provider: "Test", level: "project", id: narrow, outcome: "not found" },
      { provider: "Test", level: "domain", id: found, outcome: "found" },
    ],
  });
});

test("all scopes of all secrets of a pod are one call, and those that several pods need are asked for once", async () => {
  const { backend, find } = setUp();
  backend.set(project, "p");
  const other = { ...scope, project: "blog" };
  await Promise.all([find(), find("token"), find("api-key", other), find()]);
  expect(backend.calls).toEqual([
    [
      "development/shop/api-key",
      "development//api-key",
      "//api-key",
      "development/shop/token",
      "development//token",
      "//token",
      "development/blog/api-key",
    ],
  ]);
});

test("a question that comes while its answer is on the way waits for it", async () => {
  const { backend, find } = setUp();
  backend.set(project, "p");
  const release = backend.hold();
  const first = find();
  await settle();
  const second = find();
  await settle();
  release();
  expect(await Promise.all([first, second])).toEqual(["project p", "project p"]);
  expect(backend.calls).toHaveLength(1);
});

test.each([
  { org: "flyte/development", domain: "shop", project: "" },
  { org: "flyte", domain: "development/shop", project: "" },
  { org: "flyte", domain: "development", project: "shop/" },
])("labels that spell another pod's scope with a / find nothing of its: %j", async (odd) => {
  const { backend, find } = setUp();
  backend.set(project, "p");
  await find();
  await expect(find("api-key", odd)).rejects.toMatchObject({ code: "invalid_argument" });
});

test("a value ends with its time, and what wasn't there with its own", async () => {
  const { backend, time, find } = setUp();
  backend.set(global, "old");
  await find();
  backend.set(global, "new");
  backend.set(project, "p");
  time.now = 799;
  expect(await find()).toBe("global old");
  time.now = 1_000;
  expect(await find()).toBe("project p");
  backend.remove(project);
  time.now = 10_999;
  expect(await find()).toBe("project p");
  await settle();
  expect(await find()).toBe("global new");
});

test("what is about to end is fetched anew in the background, once, by whoever asks", async () => {
  const { backend, time, find, counts } = setUp();
  backend.set(project, "old");
  await find();
  backend.set(project, "new");
  time.now = 8_000;
  expect([await find(), await find()]).toEqual(["project old", "project old"]);
  await settle();
  expect(await find()).toBe("project new");
  expect(backend.calls.slice(1)).toEqual([["development/shop/api-key"]]);
  expect(counts.backend).toBe(1);
});

test("while the backend is down what it last said stands in, for a bounded time, told and counted", async () => {
  const { backend, time, find, counts, logged } = setUp();
  backend.set(global, "g");
  await find();
  backend.failure = down;
  time.now = 2_000;
  expect([await find(), counts.expired]).toEqual(["global g", 2]);
  expect(logged.join("")).toContain("is used past its expiry");
  expect(logged.join("")).not.toContain('"g"');
  time.now = 60_999;
  expect(await find()).toBe("global g");
  await settle();
  time.now = 61_000;
  await expect(find()).rejects.toBe(down);
});

test("who asks while the backend is known to be down does not wait to hear it again", async () => {
  const { backend, time, find } = setUp();
  backend.set(project, "p");
  await find();
  backend.failure = down;
  time.now = 10_000;
  await find();
  const calls = backend.calls.length;
  backend.hold();
  time.now = 14_000;
  expect(await find()).toBe("project p");
  expect(backend.calls).toHaveLength(calls);
  time.now = 15_000;
  expect(await find()).toBe("project p");
  await settle();
  expect(backend.calls).toHaveLength(calls + 1);
});

test("after the backend is back its answer counts again", async () => {
  const { backend, time, find } = setUp();
  backend.set(project, "old");
  await find();
  backend.failure = down;
  time.now = 10_000;
  await find();
  backend.failure = undefined;
  backend.set(project, "new");
  time.now = 15_000;
  await find();
  await settle();
  expect(await find()).toBe("project new");
});

test.each([
  "credentials_refused",
  "store_damaged",
] as const)("%s is no outage: nothing expired stands in", async (code) => {
  const { backend, time, find } = setUp();
  backend.set(project, "p");
  await find();
  backend.failure = new SecretsError(code, "no");
  time.now = 10_000;
  await expect(find()).rejects.toMatchObject({ code });
});

test("what stood in while the backend was down does not when it is back and refuses", async () => {
  const { backend, time, find } = setUp();
  backend.set(project, "p");
  await find();
  backend.failure = down;
  time.now = 10_000;
  await find();
  backend.failure = new SecretsError("credentials_refused", "no");
  time.now = 15_000;
  expect(await find()).toBe("project p");
  await settle();
  await expect(find()).rejects.toMatchObject({ code: "credentials_refused" });
});

test("a backend that cannot be asked for a narrower scope never gives a broader secret", async () => {
  const { backend, lookup, find } = setUp();
  backend.set(global, "g");
  await find();
  lookup.invalidate(project);
  backend.failure = down;
  await expect(find()).rejects.toBe(down);
});

test("a secret that cannot be read stops the lookup at its scope, and no other one", async () => {
  const { backend, find } = setUp();
  backend.damage(domain);
  backend.set(project, "p");
  backend.set(global, "g");
  backend.set({ ...project, name: "token" }, "t");
  expect(await Promise.all([find(), find("token")])).toEqual(["project p", "project t"]);
  await expect(find("api-key", { ...scope, project: "blog" })).rejects.toMatchObject({ code: "store_damaged" });
});

test.each([project, domain, global])("an invalidation of any scope is seen at the next lookup: %j", async (changed) => {
  const { backend, lookup, find } = setUp();
  backend.set(changed, "old");
  await find();
  backend.set(changed, "new");
  lookup.invalidate(project);
  expect(await find()).toMatch(/ new$/);
});

test("a fetch that was under way when its secret changed leaves no older value behind", async () => {
  const { backend, lookup, find } = setUp();
  backend.set(project, "old");
  const release = backend.hold();
  const before = find();
  await settle();
  backend.set(project, "new");
  lookup.invalidate(project);
  const releaseNext = backend.hold();
  const after = find();
  await settle();
  releaseNext();
  expect(await after).toBe("project new");
  release();
  await before;
  expect(await find()).toBe("project new");
  expect(backend.calls).toHaveLength(2);
});

test("memory stays within its bound, and what is asked for stays in it", async () => {
  const { backend, find } = setUp({ maxBytes: 3_000 });
  const key = (n: number) => ({ ...global, name: `key-${n}` });
  const from = { org: "flyte", domain: "", project: "" };
  for (let n = 0; n < 50; n++) backend.set(key(n), "x".repeat(500));
  await find("key-0", from);
  for (let n = 1; n < 50; n++) {
    await find(`key-${n}`, from);
    await find("key-0", from);
  }
  const calls = backend.calls.map(([name]) => name);
  expect(calls.filter((name) => name === "//key-0").length).toBeLessThan(25);
  await find("key-1", from);
  expect(backend.calls.at(-1)).toEqual(["//key-1"]);
});

test("a value that is larger than all of memory may be is still found", async () => {
  const { backend, find } = setUp({ maxBytes: 1_000 });
  backend.set(project, "x".repeat(2_000));
  expect(await find()).toMatch(/^project x+$/);
  expect(await find()).toMatch(/^project x+$/);
});

test("who gives up waits no longer, and the others get their answer", async () => {
  const { backend, lookup, find } = setUp();
  backend.set(project, "p");
  const release = backend.hold();
  const controller = new AbortController();
  const impatient = lookup.find(scope, "api-key", { signal: controller.signal });
  const patient = find();
  await settle();
  controller.abort();
  await expect(impatient).rejects.toMatchObject({ code: "canceled" });
  release();
  expect(await patient).toBe("project p");
  expect(await lookup.find(scope, "api-key", { signal: AbortSignal.abort() })).toMatchObject({ found: true });
});

test("a backend that does not answer is given up after the time limit, and asked again", async () => {
  const { backend, find } = setUp({ timeoutMs: 5 });
  backend.set(project, "p");
  const release = backend.hold();
  await expect(find()).rejects.toMatchObject({ code: "deadline_exceeded" });
  release();
  expect(await find()).toBe("project p");
});

test("nothing is answered after the end, and who waits is told", async () => {
  const { backend, lookup, find } = setUp();
  backend.hold();
  const waiting = find();
  await settle();
  await lookup.close();
  await expect(waiting).rejects.toMatchObject({ code: "canceled" });
  await expect(find()).rejects.toMatchObject({ code: "canceled" });
});

test("whatever happens in whatever order: after a change was told, every answer has it", async () => {
  const step = fc.record({
    kind: fc.constantFrom("set", "remove", "find", "wait", "hold", "release", "later"),
    id: fc.constantFrom(project, domain, global),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { backend, lookup, time, find } = setUp({ maxBytes: 1_200 });
      const present = new Map<SecretId, string>();
      const releases: (() => void)[] = [];
      const pending: Promise<unknown>[] = [];
      for (const [at, { kind, id }] of steps.entries()) {
        if (kind === "set") {
          present.set(id, `v${at}`);
          backend.set(id, `v${at}`);
          lookup.invalidate(id);
        } else if (kind === "remove") {
          present.delete(id);
          backend.remove(id);
          lookup.invalidate(id);
        } else if (kind === "find") pending.push(find());
        else if (kind === "wait") await settle();
        else if (kind === "later") time.now += 700;
        else if (kind === "hold") releases.push(backend.hold());
        else releases.pop()?.();
      }
      // The latest first, so that what was asked for first comes last.
      for (const release of releases.toReversed()) {
        release();
        await settle();
      }
      const level = [project, domain, global].find((id) => present.has(id));
      const name = level === project ? "project" : level === domain ? "domain" : "global";
      expect(await find()).toBe(level ? `${name} ${present.get(level)}` : "nowhere");
      await Promise.all(pending);
    }),
    { numRuns: 300 },
  );
});
