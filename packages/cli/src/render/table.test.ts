import { expect, test } from "vitest";
import type { StyledText } from "../output.ts";
import { type Column, layOutTable, type TableOptions } from "./table.ts";

const NAME: Column = { head: "name", overflow: "cut", isLast: true };
const PROJECT: Column = { head: "project", overflow: "cut" };
const REASON: Column = { head: "reason", overflow: "fold" };
const TIME: Column = { head: "updated" };

const text = (pieces: readonly StyledText[]) =>
  pieces.map((piece) => (typeof piece === "string" ? piece : piece.text)).join("");
const lines = (columns: readonly Column[], rows: readonly (readonly string[])[], options: TableOptions) =>
  text(layOutTable(columns, rows, options))
    .trimEnd()
    .split("\n");

test("stands in a frame, or in columns without spaces at the end", () => {
  const rows = [["a", "shop"]];
  expect(lines([NAME, PROJECT], rows, { frame: true })).toEqual([
    "┌──────┬─────────┐",
    "│ name │ project │",
    "├──────┼─────────┤",
    "│ a    │ shop    │",
    "└──────┴─────────┘",
  ]);
  expect(lines([NAME, PROJECT], rows, { frame: false })).toEqual(["name  project", "a     shop"]);
});

test("gives way to a narrow terminal: the others before the name, and what can't be cut never", () => {
  const rows = [["openai-key", "a-project-with-a-long-name", "2026-11-27"]];
  expect(lines([NAME, PROJECT, TIME], rows, { frame: false, width: 40 })).toEqual([
    "name        project           updated",
    "openai-key  a-project-with-…  2026-11-27",
  ]);
  expect(lines([NAME, PROJECT, TIME], rows, { frame: false, width: 31 })[1]).toBe("openai-k…  a-proje…  2026-11-27");
  expect(lines([NAME, PROJECT, TIME], rows, { frame: true, width: 45 }).map(({ length }) => length)).toEqual(
    Array(5).fill(45),
  );
});

test.each([
  ["twice as wide", "密码密码密码密码密码", "密码密…"],
  ["of several parts", "👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", undefined],
  ["that add nothing", "é".normalize("NFD").repeat(12), `${"é".normalize("NFD").repeat(7)}…`],
])("counts columns of the terminal for characters %s", (_, cell, expected) => {
  const [, row = ""] = lines([PROJECT, TIME], [[cell, "x"]], { frame: false, width: 17 });
  if (expected !== undefined) expect(row.startsWith(expected)).toBe(true);
  expect(row.endsWith("x")).toBe(true);
});

test("continues what must not be lost on the next line, between words or the parts of a long one", () => {
  const rows = [
    ["secret not found across all scopes", "x"],
    ["one-word-without-an-end", "y"],
  ];
  expect(lines([REASON, NAME], rows, { frame: false, width: 18 })).toEqual([
    "reason        name",
    "secret not    x",
    "found across",
    "all scopes",
    "one-word-     y",
    "without-an-",
    "end",
  ]);
});

test("shows what a terminal would take for something else as text", () => {
  expect(lines([NAME], [["a\u001b[2Jb\nc"]], { frame: false })).toEqual(["name", "a\\u001b[2Jb\\nc"]);
});
