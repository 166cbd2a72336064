import { expect, test } from "vitest";
import { formatCell, formatNumber, toMarkdown, toNumber, toSpread } from "./table.ts";

test("several rounds are their median, lowest and highest", () => {
  expect(toSpread([9, 1, 100])).toEqual({ median: 9, min: 1, max: 100, rounds: 3 });
});

test("a round in which nothing was answered has no part in it, unless all are so", () => {
  expect(toSpread([2, Number.NaN, 1, 3])).toEqual({ median: 2, min: 1, max: 3, rounds: 3 });
  const none = toSpread([Number.NaN, Number.NaN]);
  expect([formatCell(none), toNumber(none)]).toEqual(["none", undefined]);
});

test("no round is an error, and no number", () => {
  expect(() => toSpread([])).toThrow("nothing was measured");
});

test.each([
  [0, "0"],
  [1200, "1200"],
  [0.0432, "0.043"],
  [0.253, "0.25"],
  [12.345, "12.3"],
  [1234.5, "1235"],
  [-0.5, "-0.50"],
])("%d is printed as %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

test("a table shows the noise of several rounds, and one round as it is", () => {
  const rows = [
    { what: "get", rate: toSpread([1000, 900, 1300.4]), failed: 0 },
    { what: "list", rate: toSpread([12.5]) },
  ];
  expect(toMarkdown(rows).split("\n")).toEqual([
    "| what | rate | failed |",
    "| --- | --- | --- |",
    "| get | 1000 (900–1300) | 0 |",
    "| list | 12.5 |  |",
  ]);
});
