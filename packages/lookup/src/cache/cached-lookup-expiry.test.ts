import { SecretsError } from "@flyte-secrets/core";
import { expect, test } from "vitest";
import { down, global, project, settle, setUp } from "../testing/cached-lookup-setup.ts";

/** The backend went down, and the value that it last said of the project has expired and was asked for since. */
async function setUpInOutage(text: string) {
  const parts = setUp();
  parts.backend.set(project, text);
  await parts.find();
  parts.backend.failure = down;
  parts.time.now = 10_000;
  await parts.find();
  return parts;
}

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

test("the time of a value begins with the question, however late the answer comes", async () => {
  const { backend, time, find } = setUp();
  backend.set(project, "old");
  const release = backend.hold();
  const waiting = find();
  await settle();
  backend.set(project, "new");
  time.now = 6_000;
  release();
  await waiting;
  time.now = 9_999;
  expect(await find()).toBe("project old");
  time.now = 10_000;
  expect(await find()).toBe("project new");
});

test("an entry about to expire is fetched in the background, once, when it is used", async () => {
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

test("a lookup does not wait while the backend is known to be down", async () => {
  const { backend, time, find } = await setUpInOutage("p");
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
  const { backend, time, find } = await setUpInOutage("old");
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

test.each([
  "credentials_refused",
  "store_unavailable",
] as const)("while a value is still good a backend with %s is asked in the background once in 5 s", async (code) => {
  const { backend, time, find } = setUp();
  backend.set(project, "p");
  await find();
  backend.failure = new SecretsError(code, "no");
  for (time.now = 8_000; time.now < 10_000; time.now += 100) {
    expect(await find()).toBe("project p");
    await settle();
  }
  expect(backend.calls).toHaveLength(2);
});

test("a stale answer is not used once the backend is back and refuses", async () => {
  const { backend, time, find } = await setUpInOutage("p");
  backend.failure = new SecretsError("credentials_refused", "no");
  time.now = 15_000;
  expect(await find()).toBe("project p");
  await settle();
  await expect(find()).rejects.toMatchObject({ code: "credentials_refused" });
});
