import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createDeadlines } from "./deadlines.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test.each([
  [30_000, 29_500],
  [10_000, 9_500],
  [1_000, 900],
  [199, 90],
  [1, 90],
  [60_000, 29_500],
])("who gives up after %d ms has an answer after %d at the latest", (timeoutMs, lastMs) => {
  const { signal, listeners } = createDeadlines().after(timeoutMs, 0);
  const heard = vi.fn();
  listeners.add(heard);
  vi.advanceTimersByTime(lastMs - 1);
  expect([signal.aborted, heard.mock.calls.length]).toEqual([false, 0]);
  vi.advanceTimersByTime(1);
  expect([signal.aborted, heard.mock.calls.length, listeners.size]).toEqual([true, 1, 0]);
});

test("requests share a deadline only within a hundredth of their timeout", () => {
  const deadlines = createDeadlines();
  const first = deadlines.after(10_000, 0);
  expect(deadlines.after(10_000, 99)).toBe(first);
  const second = deadlines.after(10_000, 100);
  expect(second).not.toBe(first);
  expect(deadlines.after(10_000, 150)).toBe(second);
  expect(deadlines.after(5_000, 150)).not.toBe(second);
});

test("one that comes shortly before another's deadline has its whole time", () => {
  const deadlines = createDeadlines();
  const first = deadlines.after(10_000, 0);
  vi.advanceTimersByTime(9_000);
  const late = deadlines.after(10_000, 9_000);
  vi.advanceTimersByTime(9_499);
  expect([first.signal.aborted, late.signal.aborted]).toEqual([true, false]);
  vi.advanceTimersByTime(1);
  expect(late.signal.aborted).toBe(true);
});
