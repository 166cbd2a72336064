import { encodeSecretId, type SecretId, SecretValue } from "@flyte-secrets/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { domain, down, global, project, scope, settle, setUp } from "../testing/cached-lookup-setup.ts";

test("a value and an absence are fetched once", async () => {
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

test("a fetch that was in flight when its secret changed leaves no older value behind", async () => {
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

test("of more than may be asked for at a time, the rest is told to try again, and what is in flight gets its answer", async () => {
  const { backend, lookup, find } = setUp({ maxFetches: 3 });
  backend.set(project, "p");
  const release = backend.hold();
  const first = [find(), find()];
  const another = lookup.find(scope, "another");
  await expect(another).rejects.toMatchObject({
    code: "store_unavailable",
    message: "3 secrets are already being fetched from the secret manager (cache.fetchesUnderWay). Try again.",
  });
  release();
  expect(await Promise.all(first)).toEqual(["project p", "project p"]);
  expect(await lookup.find(scope, "another")).toMatchObject({ found: false });
});

test("an aborted lookup ends at once, and the others get their answer", async () => {
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

/** Room for two values of 500 bytes, with their names, and for that nothing is at the broader scopes. */
const TWO_VALUES = 4_000;

test("a value that is too large to be kept takes no other's place", async () => {
  const { backend, find } = setUp({ maxBytes: TWO_VALUES });
  backend.set(project, "x".repeat(500));
  await find();
  backend.set({ ...project, name: "large" }, "x".repeat(TWO_VALUES));
  await find("large");
  const calls = backend.calls.length;
  expect(await find()).toBe(`project ${"x".repeat(500)}`);
  expect(backend.calls).toHaveLength(calls);
});

test.each(["invalidate", "clear"] as const)("what was forgotten by %s takes no room, however often", async (forget) => {
  const { backend, lookup, find } = setUp({ maxBytes: TWO_VALUES });
  for (let time = 0; time < 20; time++) {
    backend.set(project, "x".repeat(500));
    await find();
    if (forget === "clear") lookup.clear();
    else lookup.invalidate(project);
  }
  backend.set({ ...project, name: "another" }, "x".repeat(500));
  await find();
  await find("another");
  const calls = backend.calls.length;
  await find();
  await find("another");
  expect(backend.calls).toHaveLength(calls);
});

test("a fetch in flight while everything is forgotten is not remembered", async () => {
  const { backend, lookup, find } = setUp();
  backend.set(project, "old");
  const release = backend.hold();
  const waiting = find();
  await settle();
  backend.set(project, "new");
  lookup.clear();
  release();
  await waiting;
  expect(await find()).toBe("project new");
});

test("whatever happens in whatever order: after an invalidation every answer has the change", async () => {
  const step = fc.record({
    kind: fc.constantFrom("set", "remove", "replace all", "find", "wait", "hold", "release", "later"),
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
        } else if (kind === "replace all") {
          for (const each of [project, domain, global]) {
            present.set(each, `v${at}`);
            backend.set(each, `v${at}`);
          }
          lookup.clear();
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
