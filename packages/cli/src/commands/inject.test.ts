import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { CLI, type CliResult, runCli } from "../testing/run-cli.ts";
import { runOnTerminal } from "../testing/run-on-terminal.ts";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const BYTES = Uint8Array.of(0, 255, 10, 7);
const QUOTED = 'a "quoted"\n{{ secret "other" }} $& $1';

beforeEach(async () => {
  await at.keep({ "dev/shop/api-key": "of-the-project", "api-key": "of-all", quoted: QUOTED, bytes: BYTES });
});

const path = (name: string) => join(at.home, name);
const write = (name: string, content: string | Uint8Array) => writeFileSync(path(name), content);
const written = (name: string) => readFileSync(path(name), "utf8");

function inject(args: readonly string[], input = ""): Promise<CliResult> {
  return runCli({ args: ["inject", ...args], env: at.env, cwd: at.home, input });
}

describe("inject", () => {
  it("replaces placeholders by values, of standard input in standard output", async () => {
    const template = 'A={{ secret "api-key" }}\nB={{secret "group/api-key"}}{{ secret "api-key" }}\n';
    expect(await inject(["-p", "shop", "-d", "dev"], template)).toEqual(
      success("A=of-the-project\nB=of-the-projectof-the-project\n"),
    );
    expect(await inject(["-i", "-", "-o", "-"], template)).toEqual(success("A=of-all\nB=of-allof-all\n"));
  });

  it("writes a value as it is, as a JSON string and in base64", async () => {
    const template = '{{ secret "quoted" }}|{{ secret "quoted" | json }}|{{ secret "bytes" | base64 }}';
    expect(await inject([], template)).toEqual(success(`${QUOTED}|${JSON.stringify(QUOTED)}|AP8KBw==`));
  });

  it("keeps all other bytes, whatever they are", async () => {
    const around = Buffer.from([0xef, 0xbb, 0xbf, 0, 0xff, 13, 10, 0x7b, 32]);
    write("a.tpl", Buffer.concat([around, Buffer.from('{{ secret "bytes" }}'), around]));
    const result = Buffer.concat([around, BYTES, around]);
    const options = { env: at.env, cwd: at.home };
    expect(execFileSync(process.execPath, [CLI, "inject", "-i", "a.tpl"], options).equals(result)).toBe(true);
    expect(await inject(["-i", "a.tpl", "-o", "a"])).toEqual(success(""));
    expect([readFileSync(path("a")).equals(result), statSync(path("a")).mode & 0o777]).toEqual([true, 0o600]);
  });

  it("writes several files, and a file again", async () => {
    write("a.tpl", '{{ secret "api-key" }}');
    write("b.tpl", "nothing to fill in");
    for (const time of [1, 2]) {
      expect(await inject(["-i", "a.tpl", "-o", "a", "-i", "b.tpl", "-o", "b"])).toEqual(success(""));
      expect([time, written("a"), written("b")]).toEqual([time, "of-all", "nothing to fill in"]);
    }
  });

  it("takes as much as the limits say, and no more", async () => {
    await at.keep({ large: Buffer.alloc(1024 * 1024, "x") });
    write("a.tpl", '{{ secret "large" }}'.repeat(64));
    expect(await inject(["-i", "a.tpl", "-o", "a"])).toEqual(success(""));
    expect(statSync(path("a")).size).toBe(64 * 1024 * 1024);
    write("a.tpl", `${'{{ secret "large" }}'.repeat(64)}.`);
    expect(await inject(["-i", "a.tpl", "-o", "b"])).toEqual(
      failure(1, "the results have 67108865 bytes, and may have 67108864"),
    );
    write("a.tpl", Buffer.alloc(1024 * 1024 + 1, "x"));
    expect(await inject(["-i", "a.tpl", "-o", "b"])).toEqual(
      failure(1, "--from-file a.tpl has more than 1048576 bytes; nothing of it was used"),
    );
    write("a.tpl", Array.from({ length: 257 }, (_, key) => `{{ secret "k${key}" }}`).join("\n"));
    expect(await inject(["-i", "a.tpl", "-o", "b"])).toEqual(
      failure(1, "a.tpl:257:1: this is more than 256 secrets together"),
    );
    expect(readdirSync(at.home)).not.toContain("b");
  });
});

describe("nothing is written", () => {
  it("when a secret is nowhere: each is named with its place", async () => {
    write("a.tpl", 'one\n A={{ secret "api-kez" }}{{ secret "api-kez" }}\n');
    write("b.tpl", '{{ secret "api-key" }}\n{{ secret "none" }}');
    const { exitCode, stdout, stderr } = await inject(["-i", "a.tpl", "-o", "a", "-i", "b.tpl", "-o", "b"]);
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr.split("\n").slice(0, 4)).toEqual([
      'error: secrets "api-kez", "none" were not found',
      '  a.tpl:2:4 asks for "api-kez".',
      '  b.tpl:2:1 asks for "none".',
      '  Did you mean "api-key" (global scope)?',
    ]);
    expect(readdirSync(at.home).sort()).toEqual(["a.tpl", "b.tpl", "store"]);
  });

  it.each([
    ['a\n{{ secret "k"', "a.tpl:2:1: {{ has no }} on its line"],
    ["a {{ .Values.x }}", "a.tpl:1:3: {{ begins no placeholder"],
    ['{{ secret "bytes" | json }}', 'a.tpl:1:1: the value of "bytes" is no text, which JSON needs'],
    ['\n{{ secret "group/" }}', '"group/" is neither KEY nor GROUP/KEY\n  a.tpl:2:1 asks for "group/".'],
  ])("when the template is %j", async (template, message) => {
    write("a.tpl", template);
    const { exitCode, stdout, stderr } = await inject(["-i", "a.tpl", "-o", "a"]);
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr.startsWith(`error: ${message}`), stderr).toBe(true);
    expect(readdirSync(at.home)).not.toContain("a");
  });

  it.each([
    [["-i", "a.tpl", "-i", "b.tpl", "-o", "a"], "each -i FILE needs its -o FILE, in the same order"],
    [["-i", "a.tpl", "-i", "b.tpl"], "each -i FILE needs its -o FILE, in the same order"],
    [["-o", "a", "-o", "b"], "each -i FILE needs its -o FILE, in the same order"],
    [["-i", "-", "-o", "a", "-i", "-", "-o", "b"], "-i - can be given only once"],
    [["-i", "a.tpl", "-o", "a.tpl"], "-o a.tpl would replace a template"],
    [["-i", "linked/a.tpl", "-o", "a.tpl"], "-o a.tpl would replace a template"],
    [["-i", "a.tpl", "-o", "a", "-i", "b.tpl", "-o", "linked/a"], "-o linked/a is given twice"],
    [Array(65).fill(["-i", "a.tpl", "-o", "-"]).flat(), "there are more than 64 templates"],
  ])("when the files do not go together: %j", async (args, message) => {
    write("a.tpl", "a");
    write("b.tpl", "b");
    symlinkSync(at.home, path("linked"));
    expect(await at.call("inject", ...args)).toEqual(failure(2, message));
    expect(written("a.tpl")).toBe("a");
  });

  it("when one of the results has no place", async () => {
    write("a.tpl", '{{ secret "api-key" }}');
    mkdirSync(path("b"));
    expect(await inject(["-i", "a.tpl", "-o", "a", "-i", "a.tpl", "-o", "b"])).toEqual(
      failure(1, "--to-file b cannot be written: it is a directory"),
    );
    expect(readdirSync(at.home)).not.toContain("a");
  });

  it("to a terminal, unless --reveal is given", async () => {
    write("a.tpl", 'A={{ secret "api-key" }}');
    const onTerminal = async (...args: string[]) =>
      (await runOnTerminal({ args: ["inject", ...args], env: at.env, cwd: at.home }, [])).screen;
    expect(await onTerminal("-i", "a.tpl")).toMatch(/^error: a value is not shown on a terminal/);
    expect(await onTerminal("-i", "a.tpl", "--reveal")).toBe("A=of-all\r\n");
  });
});
