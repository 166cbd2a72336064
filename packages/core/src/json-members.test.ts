import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonMembers } from "./json-members.ts";

const space = fc.constantFrom("", " ", "\n", "\t ", "\r\n");

/** JSON texts with white space wherever it may be, and numbers as nobody's program would write them. */
const { value: jsonText } = fc.letrec<{ value: string; spaced: string }>((tie) => ({
  spaced: fc.tuple(space, tie("value"), space).map((parts) => parts.join("")),
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(
      "null",
      "true",
      "false",
      "0",
      "-0",
      "1.10",
      "1e3",
      "-12345678901234567890",
      "1E+400",
      '"\\u007d"',
      '"]"',
    ),
    fc.string({ unit: "binary" }).map((text) => JSON.stringify(text)),
    fc.array(tie("spaced"), { maxLength: 3 }).map((items) => `[${items.join(",")}]`),
    fc
      .array(fc.tuple(fc.string({ maxLength: 2 }), tie("spaced")), { maxLength: 3 })
      .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`),
  ),
}));

test("each member is the text that was written", () => {
  const members = fc.array(fc.tuple(fc.string({ maxLength: 3 }), jsonText, space, space), { maxLength: 5 });
  fc.assert(
    fc.property(members, space, (written, around) => {
      const inside = written.map(
        ([name, value, before, behind]) => `${before}${JSON.stringify(name)}${behind}:${before}${value}${behind}`,
      );
      const found = jsonMembers(`${around}{${around}${inside.join(",")}}${around}`);
      const expected = Map.groupBy(written, ([name]) => name);
      expect(found).toEqual(new Map([...expected].map(([name, all]) => [name, all.map(([, value]) => value)])));
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  "",
  "x",
  "[1]",
  "null",
  '"{}"',
  "{",
  '{"a":1}}',
  '{"a":01}',
  "{'a':1}",
  "\ufeff{}",
])("%j has no members", (text) => {
  expect(jsonMembers(text)).toBeUndefined();
});

test("takes time that grows with the text's length", () => {
  for (const text of [
    `{"a":${"[".repeat(5_000)}${"]".repeat(5_000)}}`,
    `{${'"a":1,'.repeat(300_000)}"a":1}`,
    `{"a":"${"\\\\".repeat(500_000)}"}`,
  ]) {
    // By the square of the length, this would take hours.
    expect(jsonMembers(text)?.size).toBe(1);
  }
});
