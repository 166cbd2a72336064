import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { runCli } from "./testing/run-cli.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "main-"));
  return () => rmSync(cwd, { recursive: true });
});

describe("the home directory", () => {
  it.each([
    "relative",
    "./relative",
    "~",
    ".",
    " ",
    "relative\u001b[2J",
  ])("is refused when HOME is %j", async (home) => {
    const escaped = home.replace("\u001b", "\\u001b");
    const commands = [["create", "secret", "k", "--from-file", "-"], ["serve", "--status"], ["scopes"]];
    for (const args of commands) {
      expect(await runCli({ args, env: { HOME: home }, cwd, input: "v" })).toEqual({
        exitCode: 2,
        stdout: "",
        stderr: `error: the home directory "${escaped}" is not absolute; set HOME to an absolute path\n`,
      });
    }
    expect(readdirSync(cwd)).toEqual([]);
  });

  it.each<[string, Record<string, string>]>([
    ["empty", { HOME: "" }],
    ["unset", {}],
  ])("is the system's when HOME is %s", async (_, env) => {
    const { stdout, stderr } = await runCli({ args: ["serve", "--status"], env, cwd });
    expect([stdout, stderr]).toEqual([expect.stringContaining(join(userInfo().homedir, ".flyte-secrets")), ""]);
  });

  it("doesn't matter where none is needed", async () => {
    const { exitCode } = await runCli({ args: ["--help"], env: { HOME: "relative" }, cwd });
    expect(exitCode).toBe(0);
  });
});
