import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { createSignalRace } from "./race-signal.ts";

test("however many wait on a signal, it has one listener, and none when nobody waits any more", async () => {
  const raceSignal = createSignalRace();
  const { signal } = new AbortController();
  const { promise, resolve } = Promise.withResolvers<string>();
  const waits = Array.from({ length: 1_000 }, () => raceSignal(signal, () => promise));
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  resolve("value");
  expect(new Set(await Promise.all(waits))).toEqual(new Set(["value"]));
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("all who wait are told of the end, each signal's own, and a later one as well", async () => {
  const raceSignal = createSignalRace();
  const [first, second] = [new AbortController(), new AbortController()];
  const never = new Promise<never>(() => {});
  const waits = [1, 2, 3].map(() => raceSignal(first.signal, () => never));
  const other = raceSignal(second.signal, () => never);
  first.abort();
  for (const { status } of await Promise.allSettled(waits)) expect(status).toBe("rejected");
  await expect(raceSignal(first.signal, () => never)).rejects.toMatchObject({ code: "canceled" });
  second.abort(new DOMException("late", "TimeoutError"));
  await expect(other).rejects.toMatchObject({ code: "deadline_exceeded" });
});
