import { expect, it } from "vitest";
import { applyPatch } from "./json-patch.ts";

const DOCUMENT = { a: { b: 1, c: [1, 2, 3] }, "d/e": 2 };

it.each([
  ["a member", [{ op: "remove", path: "/a/b" }], { a: { c: [1, 2, 3] }, "d/e": 2 }],
  ["a member with a slash", [{ op: "remove", path: "/d~1e" }], { a: { b: 1, c: [1, 2, 3] } }],
  ["an element", [{ op: "remove", path: "/a/c/1" }], { a: { b: 1, c: [1, 3] }, "d/e": 2 }],
] as const)("removes %s, and leaves nothing where it was", (_, operations, expected) => {
  const patched = applyPatch<object>(DOCUMENT, operations);
  // `undefined` as a member would be one.
  expect(patched).toStrictEqual(expected);
  expect(DOCUMENT).toStrictEqual({ a: { b: 1, c: [1, 2, 3] }, "d/e": 2 });
});

it("adds and replaces members and elements", () => {
  const patched = applyPatch<object>(DOCUMENT, [
    { op: "add", path: "/a/c/-", value: 4 },
    { op: "add", path: "/a/c/0", value: 0 },
    { op: "replace", path: "/a/b", value: { x: 1 } },
    { op: "add", path: "/f", value: null },
  ]);
  expect(patched).toStrictEqual({ a: { b: { x: 1 }, c: [0, 1, 2, 3, 4] }, "d/e": 2, f: null });
});
