import { expect, test } from "vitest";
import { parseQuantity } from "./quantity.ts";

test.each([
  ["0", 0],
  ["1.5", 1.5],
  ["200m", 0.2],
  ["100M", 100_000_000],
  ["500Mi", 524_288_000],
  ["1Ki", 1024],
  ["2E", 2e18],
  ["2E3", 2000],
  ["1e-3", 0.001],
  ["5k", 5000],
  ["7u", 0.000007],
  ["3n", 3e-9],
  ["-1G", -1e9],
  ["1Gi", 1_073_741_824],
])("%s is %d", (text, value) => {
  expect(parseQuantity(text)).toBe(value);
});

test.each(["", "M", "1K", "1mi", "1 M", "1Mb", "1e", "1.2.3", "0x10", "one"])("%j is no quantity", (text) => {
  expect(parseQuantity(text)).toBeUndefined();
});
