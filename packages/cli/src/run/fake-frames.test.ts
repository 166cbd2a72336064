import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { describe, expect, it } from "vitest";
import { callCli } from "../testing/call-cli.ts";
import { readSource } from "./stack-frames.ts";

const CANARY = "canary-of-another-file";

/** A directory with a file of somebody else's, and task files that are made there. */
function setUp() {
  const home = createTemporaryDirectory();
  const secret = join(home, "master.key");
  writeFileSync(secret, `import "x"; ${CANARY}\n`);
  mkdirSync(join(home, "jobs/node_modules/@flyte-secrets"), { recursive: true });
  symlinkSync(join(import.meta.dirname, "../../../sdk"), join(home, "jobs/node_modules/@flyte-secrets/sdk"));
  const run = async (command: string, code: string) => {
    writeFileSync(join(home, "jobs/tasks.mjs"), `import { task } from "@flyte-secrets/sdk";\n${code}\n`);
    const env = { HOME: home, PATH: process.env.PATH ?? "" };
    const { stderr } = await callCli({ args: command.split(" "), env, cwd: join(home, "jobs") });
    return stderr;
  };
  return { home, secret, run };
}

const inMessage = (path: string) => JSON.stringify(`remote said: oops\n    at fake (${path}:1:1)`);

describe("an error whose message looks like a stack", () => {
  it.each([
    "run tasks.mjs",
    "run tasks.mjs a",
    "explain tasks.mjs a",
  ])("leads to no other file: %s", async (command) => {
    const { secret, run } = setUp();
    const shown = await run(command, `throw new Error(${inMessage(secret)});`);
    expect(shown).not.toContain(CANARY);
    expect(shown).toMatch(
      /^error: tasks\.mjs:2:7: Error: remote said: oops\n {2} {4}at fake .*\n {2}2 \| throw new Error\(/,
    );
  });

  it.each([
    [
      "that is its stack too",
      (at: string) => `throw Object.assign(new Error(), { stack: "Error\\n    at " + ${at} + ":1:1" });`,
    ],
    [
      "as Node tells a syntax error",
      (at: string) => `throw Object.assign(new Error(), { stack: ${at} + ":1\\nx\\n^\\n" });`,
    ],
    [
      "of an import",
      (at: string) => `throw Object.assign(new Error("Cannot find module 'x' imported from " + ${at}), { stack: "" });`,
    ],
    [
      "that is another one later",
      (at: string) => `const e = new Error("x\\n    at f (" + ${at} + ":1:1)"); e.stack; e.message = "y"; throw e;`,
    ],
  ])("%s shows no line of a file that is no source of the user's", async (_, code) => {
    const { secret, run } = setUp();
    expect(await run("run tasks.mjs", code(JSON.stringify(secret)))).not.toContain(CANARY);
  });

  it("is no place that Node shows above a syntax error", async () => {
    const { secret, run } = setUp();
    const shown = JSON.stringify(`${secret}:1\nx\n^\n`);
    for (const error of [`{ name: ${shown} }`, `{ name: "", message: ${shown} }`]) {
      const code = `const e = new Error("x"); Object.assign(e, ${error}); throw e;`;
      expect(await run("run tasks.mjs", code)).toMatch(/^error: tasks\.mjs:2:\d+: /);
    }
  });

  it("waits for no pipe", async () => {
    const { home, run } = setUp();
    const pipe = join(home, "jobs/pipe.mjs");
    execFileSync("mkfifo", [pipe]);
    const code = `throw Object.assign(new Error(), { stack: ${JSON.stringify(`Error\n    at ${pipe}:1:1`)} });`;
    expect(await run("run tasks.mjs", code)).toContain("pipe.mjs:1:1: Error");
  });

  it("names its own place alone when a task throws it", async () => {
    const { secret, run } = setUp();
    const code = `export const a = task({ name: "a" }, () => { throw new Error(${inMessage(secret)}); });`;
    const shown = await run("run tasks.mjs a", code);
    expect(shown.match(/ at /g)).toHaveLength(2);
    expect(shown).toMatch(/\n {4}at .*tasks\.mjs:2:\d+\)?\n$/);
  });
});

describe("a source file of the user's", () => {
  it("is one of the same package, which is not installed, hidden or long", () => {
    const { home, secret } = setUp();
    const main = join(home, "jobs/tasks.mjs");
    const put = (name: string) => {
      const path = join(home, name);
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, "text");
      return path;
    };
    put("jobs/tasks.mjs");
    const beside = put("lib/a.ts");
    expect(readSource(put("jobs/lib/a.ts"), main)).toBe("text");
    expect(readSource(beside, main)).toBeUndefined();
    writeFileSync(join(home, "package.json"), '{"name":"mine"}');
    expect(readSource(beside, main)).toBe("text");
    for (const other of ["jobs/a.json", "jobs/node_modules/x/a.js", ".hidden/a.ts"]) {
      expect(readSource(put(other), main)).toBeUndefined();
    }
    symlinkSync(secret, join(home, "jobs/linked.ts"));
    expect(readSource(join(home, "jobs/linked.ts"), main)).toBeUndefined();
    truncateSync(beside, 2_000_000);
    expect(readSource(beside, main)).toBeUndefined();
    expect(readSource(join(home, "jobs"), main)).toBeUndefined();
  });
});
