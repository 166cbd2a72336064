import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { createOutput } from "../output.ts";
import { runProgram } from "./run-program.ts";

test("what the system refuses to start is a fault with its reason", async () => {
  const started: number[] = [];
  const fault = await runProgram({
    command: ["true"],
    env: { PATH: process.env.PATH, LARGE: "x".repeat(200_000) },
    mask: undefined,
    cli: {
      cwd: "/",
      stdin: new PassThrough(),
      stdout: createOutput(new PassThrough()),
      stderr: createOutput(new PassThrough()),
      relaySignals: () => () => {},
    },
    onStart: (target) => started.push(target),
  });
  expect(fault).toEqual({
    exit: 126,
    problem: "true can't be executed: its arguments and environment are larger than the system allows",
  });
  expect(started).toEqual([]);
});
