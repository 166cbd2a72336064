import { SecretsError } from "@flyte-secrets/core";
import { describe, expect, it } from "vitest";
import { deserializeError, noteThrower, serializeError } from "./serialized-error.ts";

const hostile = new Proxy(new Error("x"), {
  get() {
    throw new Error("don't look");
  },
});

describe("an error on its way to another process", () => {
  it.each<[string, unknown, object]>([
    ["a text", "out of luck", { name: "", message: "out of luck" }],
    ["nothing", undefined, { name: "", message: "undefined" }],
    ["null", null, { name: "", message: "null" }],
    ["a symbol", Symbol("s"), { name: "", message: "Symbol(s)" }],
    [
      "an object without prototype",
      Object.assign(Object.create(null), { a: 1 }),
      { message: expect.stringContaining("a: 1") },
    ],
    ["an error with no text for a message", Object.assign(new Error("x"), { message: 7 }), { message: "7" }],
    ["an error without a stack", Object.assign(new Error("x"), { stack: undefined }), { name: "Error", message: "x" }],
    ["an error that throws when it is read", hostile, { message: "an error that itself throws when it is read" }],
    ["one of ours", new SecretsError("not_found", "long", { brief: "short" }), { code: "not_found", brief: "short" }],
    [
      "of a file",
      Object.assign(new Error("x"), { code: "ENOENT", path: "/a" }),
      { system: { code: "ENOENT", path: "/a" } },
    ],
  ])("is told as far as it goes: %s", (_, error, wire) => {
    expect(serializeError(error)).toMatchObject(wire);
    expect(JSON.parse(JSON.stringify(serializeError(error)))).toMatchObject(wire);
  });

  it("is cut, and keeps its frames", () => {
    const error = new Error("x".repeat(10_000_000), { cause: "y".repeat(10_000_000) });
    const { message, stack = "", causes } = serializeError(error);
    expect([message.length, causes?.[0]?.message.length]).toEqual([200_001, 200_001]);
    expect(stack).toContain(import.meta.filename);
    expect(stack.length).toBeLessThan(400_000);
  });

  it("has a few of its causes, in a circle too", () => {
    const error = new Error("a", { cause: new AggregateError([1, 2, 3, 4, 5], "many") });
    expect(serializeError(error)).toMatchObject({ causes: [{ message: "many", causes: [{}, {}, {}] }] });
    const circle = new Error("circle");
    circle.cause = circle;
    expect(JSON.stringify(serializeError(circle)).match(/"message":"circle"/g)).toHaveLength(5);
  });

  it("is blamed on the first that is noted, and stays the same one when it is passed on", () => {
    const error = new Error("x");
    noteThrower(error, { kind: "task", name: "inner" });
    noteThrower(error, { kind: "workflow", name: "outer" });
    const wire = serializeError(error);
    expect(wire.thrower).toEqual({ kind: "task", name: "inner" });
    const arrived = deserializeError(wire);
    noteThrower(arrived, { kind: "workflow", name: "driver" });
    expect(arrived).toMatchObject({ name: "Error", message: "x" });
    expect(serializeError(arrived)).toBe(wire);
    expect(serializeError(new Error("y", { cause: arrived }))).toMatchObject({ message: "y", causes: [wire] });
  });
});
