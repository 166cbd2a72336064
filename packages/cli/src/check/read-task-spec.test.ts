import { expect, test } from "vitest";
import { readTaskSpec } from "./read-task-spec.ts";

// By the numbers of the fields, which Flyte 1 and 2 share.
const field = (number: number, content: string | readonly number[]): number[] => {
  const bytes = typeof content === "string" ? [...Buffer.from(content)] : content;
  return [(number << 3) | 2, bytes.length, ...bytes];
};
const secret = [...field(1, "db"), ...field(3, "password"), (4 << 3) | 0, 2, ...field(5, "DB")];
const template = [
  ...field(1, [(1 << 3) | 0, 1, ...field(2, "shop"), ...field(4, "hello.main"), ...field(5, "1")]),
  ...field(2, "python-task"),
  ...field(8, field(2, secret)),
];

test.each([
  ["a TaskSpec", [...field(1, template), ...field(3, "main")]],
  ["a TaskTemplate", template],
])("%s has the task's name and what it asks for", (_, bytes) => {
  const requests = [{ group: "db", groupVersion: "", key: "password", mountRequirement: 2, envVar: "DB" }];
  expect(readTaskSpec(Uint8Array.from(bytes), "t.pb")).toEqual({ fullName: "hello.main", kind: "task", requests });
});

test.each([
  ["nothing", []],
  ["text", [...Buffer.from("kind: Pod\n")]],
  ["a task without a name", field(2, "python-task")],
])("%s is no task", (_, bytes) => {
  expect(() => readTaskSpec(Uint8Array.from(bytes), "t.pb")).toThrow(
    "t.pb is no serialised task, neither a TaskSpec nor a TaskTemplate",
  );
});
