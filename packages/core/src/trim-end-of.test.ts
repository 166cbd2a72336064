import { expect, test } from "vitest";
import { trimEndOf } from "./trim-end-of.ts";

test.each([
  ["", ""],
  ["/", ""],
  ["//a//b//", "//a//b"],
  ["a", "a"],
  [`${"/".repeat(1_000_000)}x`, `${"/".repeat(1_000_000)}x`],
])("%#: what stands at the end is taken off, and nothing else", (text, trimmed) => {
  expect(trimEndOf(text, "/")).toBe(trimmed);
});
