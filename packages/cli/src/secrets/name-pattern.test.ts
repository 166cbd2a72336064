import { expect, test } from "vitest";
import { matchesPattern } from "./name-pattern.ts";

test.each([
  ["db-password", "pass", true],
  ["db-password", "PASS", true],
  ["db-password", "passs", false],
  ["db-password", "db-*", true],
  ["db-password", "*word", true],
  ["db-password", "*s*w*", true],
  ["db-password", "db-passwor?", true],
  ["db-password", "db-?", false],
  ["db-password", "db*x", false],
  ["db-password", "*", true],
  ["db-password", "b-*", false],
  ["a.b", "a?b", true],
  ["axb", "a.b", false],
  ["db", "db**", true],
  ["db", "db?*", false],
])("%s fits %s: %s", (name, pattern, expected) => {
  expect(matchesPattern(name, pattern)).toBe(expected);
});

test("many stars take no time", () => {
  expect(matchesPattern("a".repeat(300), `${"*a".repeat(200)}*b`)).toBe(false);
});
