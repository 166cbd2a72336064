import { describe, expect, it } from "vitest";
import { toJsonValue } from "./json-value.ts";

const circle: Record<string, unknown> = { name: "a" };
circle.list = [{ back: circle }];
const deep = JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`);

describe("a value that travels as JSON", () => {
  it.each<[unknown, unknown]>([
    [undefined, undefined],
    [
      { a: undefined, b: [undefined, Number.NaN], c: new Date(0) },
      { b: [null, null], c: "1970-01-01T00:00:00.000Z" },
    ],
    [{ toJSON: () => ({ own: 1 }) }, { own: 1 }],
    [Buffer.from("a"), { type: "Buffer", data: [97] }],
    [[deep, deep].map(() => 1), [1, 1]],
  ])("%o arrives as JSON has it", (value, arrives) => {
    expect(toJsonValue(value, "result")).toEqual(arrives);
  });

  it("may have the same part twice, as long as it isn't within itself", () => {
    const part = { n: 1 };
    expect(toJsonValue({ a: part, b: [part, part] }, "result")).toEqual({ a: part, b: [part, part] });
  });

  it.each<[unknown, string]>([
    [1n, "result is a BigInt"],
    [() => 1, "result is a function"],
    [Symbol("s"), "result is a symbol"],
    [new Map(), "result is a Map"],
    [{ a: [0, { "b c": 1n }] }, 'result.a[1]["b c"] is a BigInt'],
    [{ a: { b: 1 }, c: class {} }, "result.c is a function"],
    [{ a: [[1], [new Set([1])]] }, "result.a[1][0] is a Set"],
    [{ later: Promise.resolve(1) }, "result.later is a Promise"],
    [{ error: new Error("x") }, "result.error is an Error"],
    [{ toJSON: () => ({ n: 1n }) }, "result.n is a BigInt"],
    [circle, "result.list[0].back is result again"],
    [{ "\u001b": 1n }, 'result["\\u001b"] is a BigInt'],
    [{ ["k".repeat(500)]: 1n }, `result["${"k".repeat(60)}"] is a BigInt`],
  ])("%o is refused by the part that isn't", (value, fault) => {
    expect(() => toJsonValue(value, "result")).toThrow(`${fault}, and inputs and results travel as JSON`);
  });

  it("is refused where it is nested too deeply, and shows both ends of a long path", () => {
    let nested: unknown = 1n;
    for (let depth = 0; depth < 200; depth++) nested = { level: nested };
    expect(() => toJsonValue(nested, "result")).toThrow(/^result(\.level)+.*…(.*\.level)+ is a BigInt/);
    for (let depth = 0; depth < 50_000; depth++) nested = [nested];
    expect(() => toJsonValue(nested, "result")).toThrow("result is nested too deeply, or too large");
  });
});
