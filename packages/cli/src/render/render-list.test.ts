import { expect, test } from "vitest";
import { renderCsv } from "./render-list.ts";

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
  ["-name", "'-name"],
  ["-A1", "'-A1"],
  ["-", "'-"],
  ["--A1", "'--A1"],
  ["-1-A1", "'-1-A1"],
  ["-1e5", "'-1e5"],
  ["-1", "-1"],
  ["-1.5", "-1.5"],
  ["-1\n", `"'-1\n"`],
  [" =1+2", "' =1+2"],
  ["\n=1+2", `"'\n=1+2"`],
  ["\uFF1D1+2", "'\uFF1D1+2"],
  ["2026-11-27T10:00:00Z", "2026-11-27T10:00:00Z"],
  ["-1+cmd|x", "'-1+cmd|x"],
  ["", ""],
])("writes %j so that CSV readers get it and spreadsheets don't run it", (cell, expected) => {
  expect(renderCsv(["a", "b"], [[cell, "x"]])).toBe(`a,b\r\n${expected},x\r\n`);
});
