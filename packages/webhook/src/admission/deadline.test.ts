import { expect, test } from "vitest";
import { answerTimeMs } from "./deadline.ts";

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
