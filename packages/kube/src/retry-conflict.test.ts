import { SecretsError } from "@flyte-secrets/core";
import { createManualClock } from "@flyte-secrets/testkit";
import { expect, test } from "vitest";
import { retryConflict } from "./retry-conflict.ts";

const conflict = new SecretsError("conflict", "somebody was faster");
const down = new SecretsError("store_unavailable", "down");

/** Throws these one after the other, then gives what it was called for the how-manyth time. */
function setUp(...failures: Error[]) {
  let calls = 0;
  const attempt = async () => {
    const failure = failures[calls++];
    if (failure) throw failure;
    return calls;
  };
  const clock = createManualClock();
  const closing = new AbortController();
  return { clock, closing, running: retryConflict({ clock, signal: closing.signal }, attempt), calls: () => calls };
}

test("a lost race is run again after a moment", async () => {
  const { clock, running, calls } = setUp(conflict, conflict);
  await clock.advance(0);
  expect(calls()).toBe(1);
  await clock.advance(1_000);
  expect(await running).toBe(3);
});

test("after sixty lost races the last is told", async () => {
  const { clock, running, calls } = setUp(...Array.from({ length: 65 }, () => conflict));
  const refused = expect(running).rejects.toBe(conflict);
  await clock.advance(20_000);
  await refused;
  expect(calls()).toBe(60);
});

test("any other failure is told at once", async () => {
  const { running, calls } = setUp(down);
  await expect(running).rejects.toBe(down);
  expect(calls()).toBe(1);
});

test("who is aborted between two attempts makes no other", async () => {
  const { clock, closing, running, calls } = setUp(conflict);
  const refused = expect(running).rejects.toBe(down);
  await clock.advance(0);
  closing.abort(down);
  await refused;
  expect(calls()).toBe(1);
});

test("who is aborted without a reason of ours is told of the conflict", async () => {
  const { clock, closing, running } = setUp(conflict);
  const refused = expect(running).rejects.toBe(conflict);
  await clock.advance(0);
  closing.abort();
  await refused;
});
