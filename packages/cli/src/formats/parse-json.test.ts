import { SecretsError } from "@flyte-secrets/core";
import fc from "fast-check";
import { expect, it, test } from "vitest";
import { parseJson } from "./parse-json.ts";

const CANARY = "canary-5d1f";

function parse(text: string): unknown {
  try {
    return parseJson(text, (problem) => new SecretsError("invalid_argument", problem));
  } catch (error) {
    return error instanceof SecretsError ? error.message : error;
  }
}

test.each([
  [`{"a": "${CANARY}", "b": 1,\n  "a": 2}`, "has a name twice in one object: line 2, column 3"],
  [`{"a": 1, "\\u0061": 2}`, "has a name twice in one object: line 1, column 10"],
  [`[{"x": {"a\\"": [1], "b": {}, "a\\"": {}}}]`, "has a name twice in one object: line 1, column 30"],
  [`{"": 1, "": 2}`, "has a name twice in one object: line 1, column 9"],
  [`{"__proto__": 1, "__proto__": 2}`, "has a name twice in one object: line 1, column 18"],
  [`{"a": ${CANARY}}`, "is not JSON"],
])("refuses %s, and never quotes it", (text, problem) => {
  expect(parse(text)).toBe(problem);
});

test.each([
  [`{"a": "a", "b": ["a", "a", {"a": 1}, {"a": 1}], "c": {"a": {"a": 1}}}`],
  [`["a", "a"]`],
  [`"a"`],
  [`{"a": {}, "b": [], "c": "{\\"c\\":"}`],
])("takes a name again in another object, and as a value: %s", (text) => {
  expect(parse(text)).toEqual(JSON.parse(text));
});

it("takes whatever JSON.stringify makes, and refuses it with one of its names added", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (object, at) => {
      const text = JSON.stringify(object, null, at % 3);
      expect(parse(text)).toEqual(JSON.parse(text));
      const names = Object.keys(object);
      const twice = text.replace(/\}$/, () => `,${JSON.stringify(names[at % names.length])}: 1}`);
      expect(parse(twice)).toMatch(/^has a name twice/);
    }),
  );
});

it("reads a name of megabytes and a million levels", () => {
  expect(parse(`{"${"\\\\".repeat(2_000_000)}": 1}`)).toBeTypeOf("object");
  const deep = 100_000;
  expect(parse(`${'{"a":'.repeat(deep)}1${"}".repeat(deep)}`)).toBeTypeOf("object");
});
