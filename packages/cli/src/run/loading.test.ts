import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { describe, expect, it } from "vitest";
import { callCli } from "../testing/call-cli.ts";
import { runChild } from "./run-child.ts";

function taskFile(code: string, name = "tasks.mjs") {
  const directory = createTemporaryDirectory();
  mkdirSync(join(directory, "node_modules/@flyte-secrets"), { recursive: true });
  symlinkSync(join(import.meta.dirname, "../../../sdk"), join(directory, "node_modules/@flyte-secrets/sdk"));
  writeFileSync(join(directory, name), `import { task, workflow } from "@flyte-secrets/sdk";\n${code}\n`);
  const env = { HOME: directory, PATH: process.env.PATH ?? "" };
  const call = (...args: string[]) => callCli({ args, env, cwd: directory });
  return { file: join(directory, name), call };
}

describe("a file that ends its process while it is loaded", () => {
  it.each([
    ["process.exit(0);", "with exit code 0"],
    ["process.exit(3);", "with exit code 3"],
    ['process.kill(process.pid, "SIGKILL");', "by SIGKILL"],
    ["process.disconnect(); setInterval(() => {}, 1_000); await new Promise(() => {});", "with exit code 1"],
  ])("is named, and nothing of ours: %s", async (code, how) => {
    const { call } = taskFile(`export const a = task({ name: "a" }, () => 1);\n${code}`);
    for (const args of [
      ["run", "tasks.mjs"],
      ["run", "tasks.mjs", "a"],
      ["explain", "tasks.mjs", "a"],
    ]) {
      const { exitCode, stderr } = await call(...args);
      expect(stderr).toBe(
        `error: tasks.mjs can't be loaded: its process was ended ${how} meanwhile; code outside of tasks must not end the process ` +
          "or close its channel (process.exit, process.disconnect)\n",
      );
      expect(exitCode).toBe(1);
    }
  });

  it("is told apart from a workflow that ends it", async () => {
    const { call } = taskFile('export const w = workflow({ name: "w" }, () => process.exit(4));');
    expect((await call("run", "tasks.mjs", "w")).stderr).toBe(
      'error: the process of "w" was ended with exit code 4 before it had a result\n',
    );
  });
});

describe("a file that takes long to load", () => {
  it.each(["lister", "driver", "task"] as const)("is told of, and stopped by the signal: %s", async (role) => {
    for (const code of ["for (;;);", "setInterval(() => {}, 1_000); await new Promise(() => {});"]) {
      const { file } = taskFile(code, "slow\n.mjs");
      const stderr = new PassThrough();
      const controller = new AbortController();
      const name = role === "lister" ? "" : "a";
      const ended = runChild({
        role,
        file,
        name,
        input: undefined,
        env: { PATH: process.env.PATH },
        mask: undefined,
        stdout: stderr,
        stderr,
        signal: controller.signal,
        slowLoadMs: 1,
      });
      stderr.once("data", (chunk) => {
        expect(String(chunk)).toBe("note: still loading slow\\n.mjs; Ctrl-C stops it\n");
        controller.abort();
      });
      await expect(ended).rejects.toMatchObject({ code: "canceled", message: "loading slow\\n.mjs was stopped" });
    }
  });
});
