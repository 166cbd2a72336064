import { expect, test } from "vitest";
import { parseObject } from "./json-object.ts";

test("a text that is a JSON object is parsed, and every other text is undefined", () => {
  expect(parseObject('{"a": [1]}')).toEqual({ a: [1] });
  for (const text of ["", "null", "[]", '"a"', "1", "true", "{", '{"a": 1} x'])
    expect(parseObject(text)).toBeUndefined();
});
