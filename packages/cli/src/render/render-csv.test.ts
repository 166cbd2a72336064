import { expect, test } from "vitest";
import { renderCsv } from "./render-csv.ts";

test.each([
  ["plain", "plain"],
  ["a,b", '"a,b"'],
  ['say "x"', '"say ""x"""'],
  ["two\nlines", '"two\nlines"'],
  ["=1+2", "'=1+2"],
  ['=HYPERLINK("x")', `"'=HYPERLINK(""x"")"`],
  ["+1", "'+1"],
  ["@x", "'@x"],
  ["\tx", "'\tx"],
  ["-name", "-name"],
  ["-1+cmd|x", "'-1+cmd|x"],
  ["", ""],
])("writes %j so that CSV readers get it and spreadsheets don't run it", (cell, expected) => {
  expect(renderCsv(["a", "b"], [[cell, "x"]])).toBe(`a,b\r\n${expected},x\r\n`);
});
