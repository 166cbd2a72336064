import { expect, test } from "vitest";
import { answerTimeMs, createDeadlines } from "./deadline.ts";

test.each([
  ["/mutate--v1-pod?timeout=30s", 29_500],
  ["/mutate--v1-pod?timeout=10s", 9_500],
  ["/mutate--v1-pod?dry=1&timeout=1s", 900],
  ["/mutate--v1-pod?timeout=200ms", 180],
  ["/mutate--v1-pod?timeout=1ms", 90],
  ["/mutate--v1-pod?timeout=1m", 29_500],
  ["/mutate--v1-pod?timeout=-1s", 90],
])("%s is answered within %d ms", (url, ms) => {
  expect(answerTimeMs(url, 10_000)).toBe(ms);
});

test.each([
  "",
  "?",
  "?timeout=",
  "?timeout=0",
  "?timeout=soon",
  `?timeout=${"1".repeat(40)}s`,
])("an address with the query %j is answered within the configured time", (query) => {
  expect(answerTimeMs(`/mutate--v1-pod${query}`, 2_000)).toBe(1_800);
});

test("requests of one moment share a deadline where their addresses are the same", () => {
  const deadlineOf = createDeadlines(10_000);
  const first = deadlineOf("/mutate--v1-pod?timeout=1s", 5_000);
  expect(deadlineOf("/mutate--v1-pod?timeout=1s", 5_008)).toBe(first);
  expect(deadlineOf("/mutate--v1-pod?timeout=1s", 5_009)).not.toBe(first);
  expect(deadlineOf("/mutate--v1-pod?timeout=2s", 5_009)).not.toBe(deadlineOf("/mutate--v1-pod?timeout=1s", 5_009));
});

test("a deadline aborts when its time is up", async () => {
  const deadline = createDeadlines(10_000)("/mutate--v1-pod?timeout=1ms");
  await expect.poll(() => deadline.aborted).toBe(true);
});
