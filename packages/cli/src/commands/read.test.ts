import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { CLI, runCli, runWithFullDisk } from "../testing/run-cli.ts";
import { runOnTerminal } from "../testing/run-on-terminal.ts";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const BYTES = Uint8Array.of(0, 255, 10, 7, 13, 10);
const LARGE = Buffer.alloc(1024 * 1024, "large\n");

beforeEach(async () => {
  await at.keep({
    "dev/shop/api-key": "of-the-project",
    "api-key": "of-all",
    lines: "one\ntwo\n\n",
    empty: "",
    bytes: BYTES,
    large: LARGE,
    odd: "a\u001b[2Jb",
  });
});

const SCOPE = ["-p", "shop", "-d", "dev"];
const read = (...args: string[]) => runCli({ args: ["read", ...args], env: at.env, cwd: at.home });
const piped = (...args: string[]) => execFileSync(process.execPath, [CLI, "read", ...args], { env: at.env });
const path = (name: string) => join(at.home, name);

describe("read", () => {
  it("writes the value at the narrowest scope, without a line feed, into a pipe", async () => {
    expect(await read(...SCOPE, "api-key")).toEqual(success("of-the-project"));
    expect(await read("api-key")).toEqual(success("of-all"));
    expect(await read("any/group/api-key", "-o", "-")).toEqual(success("of-all"));
  });

  it.each([
    ["lines", Buffer.from("one\ntwo\n\n")],
    ["empty", Buffer.from("")],
    ["bytes", Buffer.from(BYTES)],
    ["large", LARGE],
  ])("writes the bytes of %s as they are", async (name, bytes) => {
    expect(piped(name).equals(bytes)).toBe(true);
    expect(piped(name, "--webhook.embeddedSecretManagerConfig.delivery=Inline").equals(bytes)).toBe(true);
    expect(await read(name, "-o", path("out"))).toEqual(success(""));
    expect(readFileSync(path("out")).equals(bytes)).toBe(true);
  });

  it("says with -v where a value comes from", async () => {
    expect(await read("-v", ...SCOPE, "api-key")).toEqual({
      exitCode: 0,
      stdout: "of-the-project",
      stderr: "api-key from project shop, domain dev\n",
    });
  });

  it("writes a file for this user alone, in the place of one that is there", async () => {
    writeFileSync(path("out"), "something longer than the value", { mode: 0o644 });
    linkSync(path("out"), path("other-name"));
    expect(await read("api-key", "-o", "out")).toEqual(success(""));
    expect([readFileSync(path("out"), "utf8"), statSync(path("out")).mode & 0o777]).toEqual(["of-all", 0o600]);
    expect(readFileSync(path("other-name"), "utf8")).toBe("something longer than the value");
    expect(readdirSync(at.home).filter((name) => name.startsWith("out"))).toEqual(["out"]);
  });

  it.each([
    ["a link", "it is a symbolic link, and none is followed; standard output is -"],
    ["a dangling link", "it is a symbolic link, and none is followed; standard output is -"],
    ["a directory", "it is a directory"],
    ["a device", "it is no regular file; standard output is -"],
    ["nothing, in no directory", "no such file"],
  ])("leaves %s as it is", async (name, reason) => {
    const file = {
      "a link": path("link"),
      "a dangling link": path("dangling"),
      "a directory": path("directory"),
      "a device": "/dev/null",
      "nothing, in no directory": path("missing/out"),
    }[name] as string;
    writeFileSync(path("target"), "kept");
    symlinkSync(path("target"), path("link"));
    symlinkSync(path("nowhere"), path("dangling"));
    mkdirSync(path("directory"));
    expect(await read("api-key", "-o", file)).toEqual(failure(1, `--to-file ${file} cannot be written: ${reason}`));
    expect(readFileSync(path("target"), "utf8")).toBe("kept");
    expect(readdirSync(at.home)).not.toContain("nowhere");
  });

  it("keeps the file that is there when the disk is full", async () => {
    writeFileSync(path("out"), "kept");
    const { exitCode, stderr } = await runWithFullDisk(
      { args: ["read", "large", "-o", "out"], env: at.env, cwd: at.home },
      100,
    );
    expect([exitCode, stderr]).toEqual([
      1,
      `error: --to-file ${path("out")} cannot be written: it would be larger than a file of this user may be\n`,
    ]);
    expect(readFileSync(path("out"), "utf8")).toBe("kept");
    expect(readdirSync(at.home).filter((name) => name.startsWith("out"))).toEqual(["out"]);
  });
});

describe("a terminal", () => {
  const onTerminal = async (...args: string[]) => {
    const { screen, exitCode } = await runOnTerminal({ args: ["read", ...args], env: at.env, cwd: at.home }, []);
    return { screen: screen.replaceAll("\r\n", "\n"), exitCode };
  };

  it("shows no value", async () => {
    const refusal =
      "error: a value is not shown on a terminal: pipe it, write it to a file with -o FILE, or add --reveal\n";
    expect(await onTerminal("api-key")).toEqual({ screen: refusal, exitCode: 2 });
    expect(await onTerminal("no-such-key", "-o", "-")).toEqual({ screen: refusal, exitCode: 2 });
    expect(await onTerminal("api-key", "-o", "out")).toEqual({ screen: "", exitCode: 0 });
  });

  it("shows one with --reveal, as a line, without what would steer it", async () => {
    expect(await onTerminal("api-key", "--reveal")).toEqual({ screen: "of-all\n", exitCode: 0 });
    expect(await onTerminal("lines", "--reveal")).toEqual({ screen: "one\ntwo\n\n", exitCode: 0 });
    expect(await onTerminal("odd", "--reveal")).toEqual({ screen: "a\\u001b[2Jb\n", exitCode: 0 });
    expect(await onTerminal("bytes", "--reveal")).toEqual({
      screen: "error: a terminal can't show it, it is no text; use -o FILE\n",
      exitCode: 2,
    });
  });
});

describe("a value that can't be read", () => {
  it("is an error as in run, and nothing is written", async () => {
    const { exitCode, stdout, stderr } = await read("api-kez", "-o", "out");
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^error: secret "api-kez" was not found\n {2}Did you mean "api-key" \(global scope\)\?\n/);
    expect(stderr).toMatch(/--verbose shows where it was looked for\.\n$/);
    expect(readdirSync(at.home)).not.toContain("out");
    expect((await read("api-kez", "--verbose")).stderr).toMatch(/ Tried: .*Embedded: /);
  });

  it.each([
    ["", '"" is neither KEY nor GROUP/KEY'],
    ["group/", '"group/" is neither KEY nor GROUP/KEY'],
  ])("has no name: %j", async (name, message) => {
    expect(await at.call("read", name)).toEqual(failure(1, message));
  });

  it("is one of a service, which gives none", async () => {
    const refusal = failure(
      2,
      "--endpoint: a service gives values to tasks alone. They are read from this machine's own store, or from the " +
        "secret manager that the configuration names",
    );
    expect(await at.call("read", "api-key", "--endpoint", "http://127.0.0.1:9")).toEqual(refusal);
    expect(await at.call("--endpoint", "http://127.0.0.1:9", "read", "api-key")).toEqual(refusal);
    at.env.FLYTE_ENDPOINT = "http://127.0.0.1:9";
    expect((await at.call("read", "of-the-service")).stderr).toMatch(
      / {2}The values of http:\/\/127\.0\.0\.1:9 \(from FLYTE_ENDPOINT\) can't be read: a service gives them to tasks alone\.\n$/,
    );
  });
});
