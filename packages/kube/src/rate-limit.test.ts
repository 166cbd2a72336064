import { createManualClock } from "@flyte-secrets/testkit";
import { expect, test } from "vitest";
import { createRateLimiter } from "./rate-limit.ts";

const never = new AbortController().signal;

/** Takes once and records the order of turns. */
function takeInto(turns: string[], limit: ReturnType<typeof createRateLimiter>, name: string, signal = never) {
  return limit.take(signal).then(
    (waitedMs) => void turns.push(`${name} after ${waitedMs}`),
    (reason) => void turns.push(`${name} gave up: ${reason}`),
  );
}

test("as many as the burst go at once, the others one by one in the order they came", async () => {
  const clock = createManualClock();
  const limit = createRateLimiter({ qps: 10, burst: 2, clock });
  const turns: string[] = [];
  for (const name of ["a", "b", "c", "d", "e"]) void takeInto(turns, limit, name);
  await clock.advance(0);
  expect(turns).toEqual(["a after 0", "b after 0"]);
  expect(limit.waiting).toBe(3);
  await clock.advance(150);
  expect(turns).toEqual(["a after 0", "b after 0", "c after 100"]);
  await clock.advance(150);
  expect(turns.slice(3)).toEqual(["d after 200", "e after 300"]);
  expect(limit.waiting).toBe(0);
  expect(clock.timers).toBe(0);
});

test("nobody overtakes those who wait", async () => {
  const clock = createManualClock();
  const limit = createRateLimiter({ qps: 1, burst: 1, clock });
  const turns: string[] = [];
  void takeInto(turns, limit, "a");
  void takeInto(turns, limit, "b");
  await clock.advance(999);
  void takeInto(turns, limit, "c");
  await clock.advance(2000);
  expect(turns).toEqual(["a after 0", "b after 1000", "c after 1001"]);
});

test("nobody overtakes those whose timer is late either", async () => {
  const manual = createManualClock();
  let late = 0;
  const limit = createRateLimiter({ qps: 1, burst: 1, clock: { ...manual, elapsed: () => manual.elapsed() + late } });
  const turns: string[] = [];
  void takeInto(turns, limit, "a");
  void takeInto(turns, limit, "b");
  late = 5000;
  void takeInto(turns, limit, "c");
  await manual.advance(1000);
  expect(turns.map((turn) => turn[0])).toEqual(["a", "b"]);
});

test("an idle client regains its burst and no more", async () => {
  const clock = createManualClock();
  const limit = createRateLimiter({ qps: 10, burst: 2, clock });
  const turns: string[] = [];
  void takeInto(turns, limit, "a");
  await clock.advance(60_000);
  for (const name of ["b", "c", "d"]) void takeInto(turns, limit, name);
  await clock.advance(0);
  expect(turns).toEqual(["a after 0", "b after 0", "c after 0"]);
});

test("who gives up leaves the queue", async () => {
  const clock = createManualClock();
  const limit = createRateLimiter({ qps: 1, burst: 1, clock });
  const turns: string[] = [];
  const givingUp = new AbortController();
  void takeInto(turns, limit, "a");
  void takeInto(turns, limit, "b", givingUp.signal);
  void takeInto(turns, limit, "c");
  givingUp.abort("no");
  await clock.advance(1000);
  expect(turns).toEqual(["a after 0", "b gave up: no", "c after 1000"]);
  void takeInto(turns, limit, "d", givingUp.signal);
  await clock.advance(0);
  expect(turns.at(-1)).toBe("d gave up: no");
});
