import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { SecretValue } from "@flyte-secrets/core";
import type { TaskCall } from "@flyte-secrets/sdk";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { describe, expect, test } from "vitest";
import { createMask } from "./mask/mask.ts";
import { type ChildOptions, runChild } from "./run-child.ts";

const TESTDATA = join(import.meta.dirname, "../../testdata/run");

function setUp(rest: Partial<ChildOptions> = {}) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const options: ChildOptions = {
    role: "task",
    file: join(TESTDATA, "tasks.mjs"),
    name: "plain",
    input: undefined,
    env: { PATH: process.env.PATH },
    mask: undefined,
    stdout,
    stderr,
    signal: new AbortController().signal,
    ...rest,
  };
  return { options, stdout, stderr };
}

const run = (rest: Partial<ChildOptions>): Promise<unknown> => runChild(setUp(rest).options);

describe("a task in a child process", () => {
  test("gets its input over the channel, never as an argument, and gives its result in JSON", async () => {
    expect(await run({ input: { n: 1, at: new Date(0) } })).toEqual({
      pid: expect.not.closeTo(process.pid, 0),
      input: { n: 1, at: "1970-01-01T00:00:00.000Z" },
      argv: [],
    });
  });

  test("has the environment that it was given and nothing else", async () => {
    expect(await run({ name: "environment", env: { ONLY: "this", NOT: undefined } })).toEqual({ ONLY: "this" });
  });

  test("may be TypeScript with decorators and enums", async () => {
    const file = join(TESTDATA, "tasks.ts");
    expect(await run({ file, name: "decorated", input: { shade: "dark" } })).toEqual({ shade: "the dark one" });
  });

  test.each([
    ["ES modules", "tasks.ts", { type: "module" }],
    ["CommonJS", "tasks.ts", {}],
    ["ES modules by their ending", "tasks.mts", {}],
    ["CommonJS by its ending", "tasks.cts", { type: "module" }],
  ])("may import by the paths of the tsconfig above it, as %s, wherever the command is called", async (_, name, manifest) => {
    const directory = createTemporaryDirectory();
    mkdirSync(join(directory, "lib"));
    mkdirSync(join(directory, "jobs"));
    mkdirSync(join(directory, "node_modules/@flyte-secrets"), { recursive: true });
    symlinkSync(join(import.meta.dirname, "../../../sdk"), join(directory, "node_modules/@flyte-secrets/sdk"));
    const paths = { "@lib/*": ["./lib/*"] };
    writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions: { paths } }));
    writeFileSync(join(directory, "package.json"), JSON.stringify(manifest));
    writeFileSync(join(directory, "lib/answer.ts"), "export enum Answer { Right = 42 }");
    const file = join(directory, "jobs", name);
    writeFileSync(
      file,
      `import { task } from "@flyte-secrets/sdk";
      import { Answer } from "@lib/answer";
      export const told = task({ name: "told" }, async () => ({ answer: Answer.Right, env: process.env.TSX_TSCONFIG_PATH ?? null }));`,
    );
    expect(await run({ file, name: "told" })).toEqual({ answer: 42, env: null });
  });

  test("has its output masked on both streams, all of it, before the result is there", async () => {
    const mask = createMask();
    mask.add(SecretValue.fromText("s3cret"));
    const { options, stdout, stderr } = setUp({ name: "printing", input: { text: "a s3cret\n", times: 20_000 }, mask });
    const printed = Promise.all([text(stdout), text(stderr)]);
    expect(await runChild(options)).toBeUndefined();
    stdout.end();
    stderr.end();
    expect(await printed).toEqual(["a ***\n".repeat(20_000), "a ***\n".repeat(20_000)]);
  });

  test("ends with its result, whatever it leaves running or sends over the channel", async () => {
    expect(await run({ name: "untidy" })).toEqual({ done: true });
  });

  test("fails with the error's name, message, stack and cause", async () => {
    await expect(run({ name: "failing" })).rejects.toMatchObject({
      name: "Error",
      message: "outer",
      stack: expect.stringMatching(/^Error: outer\n.*tasks\.mjs:\d+/s),
    });
  });

  test.each([
    ["exiting", { code: 0 }, "its process was ended with exit code 0 before it had a result"],
    ["exiting", { code: 3 }, "its process was ended with exit code 3 before it had a result"],
    ["killed", {}, "its process was ended by SIGKILL before it had a result"],
  ])("that ends without a result says how: %s %j", async (name, input, message) => {
    await expect(run({ name, input })).rejects.toMatchObject({ code: "task_failed", message });
  });

  test("whose result is not JSON fails", async () => {
    await expect(run({ name: "strange" })).rejects.toMatchObject({
      code: "task_failed",
      message: "result.big is a BigInt, and inputs and results travel as JSON; give String(n)",
    });
  });

  test("keeps the code of an error of ours", async () => {
    await expect(run({ name: "unreadable" })).rejects.toMatchObject({ code: "secret_not_readable" });
  });

  test("is not started when the signal has come already", async () => {
    await expect(run({ name: "endless", signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "canceled" });
  });

  test("is stopped by the signal", async () => {
    const controller = new AbortController();
    const { options, stdout } = setUp({ name: "endless", signal: controller.signal });
    stdout.once("data", () => controller.abort());
    await expect(runChild(options)).rejects.toMatchObject({ code: "canceled", message: "endless was stopped" });
  });
});

describe("finding the task", () => {
  test("lists what the file has, the nearest name first", async () => {
    await expect(run({ file: join(TESTDATA, "tasks.ts"), name: "x" })).rejects.toMatchObject({
      code: "not_found",
      message: 'tasks.ts has no task or workflow "x"; it has decorated',
    });
    await expect(run({ name: "scond" })).rejects.toMatchObject({
      message: expect.stringMatching(
        /^tasks\.mjs has no task or workflow "scond"; it has second, plain, environment, /,
      ),
    });
    await expect(run({ file: join(TESTDATA, "shade.ts"), name: "x" })).rejects.toMatchObject({
      message: "shade.ts defines no task; it must make one with task() of @flyte-secrets/sdk when it is loaded",
    });
  });
});

describe("a driver", () => {
  test("runs a workflow's own code and has every task call carried out, with what it inherits", async () => {
    const calls: TaskCall[] = [];
    const onCall = async (call: TaskCall): Promise<unknown> => {
      calls.push(call);
      if (call.definition.name === "failing") throw new Error("told by the runner");
      return { ran: call.definition.name };
    };
    expect(await run({ role: "driver", name: "flow", input: { n: 1 }, onCall })).toEqual({
      driver: {},
      results: [{ ran: "first" }, { ran: "second" }],
      caught: "told by the runner",
    });
    const asked = calls.map(({ definition, inherited, input }) => ({
      name: definition.name,
      own: definition.requests.map(({ key }) => key),
      inherited: inherited.map(({ key }) => key),
      input,
    }));
    expect(asked).toEqual([
      { name: "first", own: ["a", "b"], inherited: ["c"], input: { n: 1 } },
      { name: "second", own: ["c"], inherited: ["c"], input: undefined },
      { name: "failing", own: [], inherited: ["c"], input: undefined },
    ]);
  });

  test("has a task that is run by itself carried out too", async () => {
    const onCall = async ({ definition, inherited, input }: TaskCall) => ({ name: definition.name, inherited, input });
    expect(await run({ role: "driver", name: "plain", input: { n: 1 }, onCall })).toEqual({
      name: "plain",
      inherited: [],
      input: { n: 1 },
    });
  });
});
