import fc from "fast-check";
import { expect, it, test } from "vitest";
import { parseGoDuration } from "./go-duration.ts";

test.each([
  ["30s", 30_000],
  ["1m30s", 90_000],
  ["1h", 3_600_000],
  ["1.5h", 5_400_000],
  [".5s", 500],
  ["1.s", 1000],
  ["250ms", 250],
  ["10us", 0.01],
  ["10\u00b5s", 0.01],
  ["10\u03bcs", 0.01],
  ["1ns", 0.000001],
  ["+2s", 2000],
  ["-1m1s", -61_000],
  ["0", 0],
  ["-0", 0],
])("%s is %d ms, as in Go", (text, milliseconds) => {
  expect(parseGoDuration(text)).toBe(milliseconds);
});

test.each([
  "",
  "30",
  "s",
  "1d",
  "1 s",
  " 1s",
  "1s ",
  "1m-2s",
  "1e3s",
  ".s",
  "--1s",
  "1S",
])("%j is no duration", (text) => {
  expect(parseGoDuration(text)).toBeUndefined();
});

it("adds the parts, whatever their order and number", () => {
  const part = fc.tuple(fc.nat(999), fc.constantFrom(["ms", 1] as const, ["s", 1000] as const, ["m", 60_000] as const));
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
      const text = parts.map(([amount, [unit]]) => `${amount}${unit}`).join("");
      expect(parseGoDuration(text)).toBe(parts.reduce((sum, [amount, [, factor]]) => sum + amount * factor, 0));
    }),
  );
});

it.each([
  ["amounts that can be split in many ways", `${"11h".repeat(200_000)}x`],
  ["digits without a unit", "1".repeat(1_000_000)],
  ["points", ".".repeat(1_000_000)],
  ["amounts with a point", `${"1.1h".repeat(200_000)}.`],
])("is done with %s in time that grows with their length", (_, text) => {
  expect(parseGoDuration(text)).toBeUndefined();
});
