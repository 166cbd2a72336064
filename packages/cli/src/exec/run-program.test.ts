import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { runProgram } from "./run-program.ts";

test("what the system refuses to start is a fault with its reason", async () => {
  const started: number[] = [];
  const fault = await runProgram({
    command: ["true"],
    env: { PATH: process.env.PATH, LARGE: "x".repeat(200_000) },
    cwd: "/",
    mask: undefined,
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    onTerminal: false,
    relaySignals: () => () => {},
    onStart: (target) => started.push(target),
  });
  expect(fault).toEqual({
    exit: 126,
    problem: "true can't be executed: its arguments and environment are larger than the system allows",
  });
  expect(started).toEqual([]);
});
