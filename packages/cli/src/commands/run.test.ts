import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CliResult, runCli } from "../testing/run-cli.ts";

const TESTDATA = join(import.meta.dirname, "../../testdata/run");
const TASKS = join(TESTDATA, "tasks.mjs");

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "run-command-"));
  const store = await openEmbeddedStore({ directory: join(home, ".flyte-secrets") });
  const id = { org: "flyte", project: "shop", domain: "production", name: "api-key" };
  await store.create(id, { type: "generic", value: SecretValue.fromText("a-value-for-shop") });
  await store.close();
});
afterAll(() => rm(home, { recursive: true }));

function run(args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> {
  return runCli({ args: ["run", ...args], env: { PATH: process.env.PATH ?? "", HOME: home, ...env }, cwd: home });
}

describe("run", () => {
  it("takes input as JSON where it is JSON and as text where it is not, and prints the result as JSON", async () => {
    const { exitCode, stdout, stderr } = await run([
      TASKS,
      "plain",
      "-i",
      "n=3",
      "-i",
      'names=["a"]',
      "--input",
      "text=a=b",
      "-i",
      "empty=",
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ input: { n: 3, names: ["a"], text: "a=b", empty: "" } });
  });

  it.each([
    ["id=1234567890123456789", "1234567890123456789", "1234567890123456800"],
    ["id=-9007199254740993", "-9007199254740993", "-9007199254740992"],
    ['ids=[1, {"id": 12345678901234567890}]', "12345678901234567890", "12345678901234567000"],
    ["n=1e400", "1e400", "Infinity"],
    [`n=${"9".repeat(400)}`, `${"9".repeat(120)}…`, "Infinity"],
  ])("refuses -i %s, a number of which the task would get another", async (field, number, nearest) => {
    expect(await run([TASKS, "plain", "-i", field])).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: `error: --input: JavaScript has no number ${number}, and the nearest is ${nearest}: give it as text, in quotes within the shell's: 'key="${number}"'\n`,
    });
  });

  it("takes numbers that JavaScript keeps, fractions as near as they are, and digits in quotes or with a zero in front as text", async () => {
    const fields = [
      "exact=9007199254740992",
      "safe=9007199254740991",
      "power=1e21",
      "pi=3.14159265358979323846",
      'text="1234567890123456789"',
      "zip=01234567890123456789",
      "zero=-0",
    ];
    const { exitCode, stdout } = await run([TASKS, "plain", ...fields.flatMap((field) => ["-i", field])]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).input).toEqual({
      exact: 2 ** 53,
      safe: 2 ** 53 - 1,
      power: 1e21,
      pi: Math.PI,
      text: "1234567890123456789",
      zip: "01234567890123456789",
      zero: 0,
    });
  });

  it("gives a task the secrets of the scope that options or Flyte's variables name, and shows them masked", async () => {
    const file = join(TESTDATA, "secrets.mjs");
    const expected = { exitCode: 0, stdout: 'out ***\n{"key":"***"}\n', stderr: "err ***\n" };
    expect(await run([file, "printing", "-p", "shop", "-d", "production"])).toEqual(expected);
    expect(await run([file, "printing"], { FLYTE_TASK_PROJECT: "shop", FLYTE_TASK_DOMAIN: "production" })).toEqual(
      expected,
    );
    const shown = await run([file, "printing", "-p", "shop", "-d", "production", "--no-mask"]);
    expect(shown.stdout).toBe('out a-value-for-shop\n{"key":"a-value-for-shop"}\n');
  });

  it("exits with 1 when a secret is not at the task's scope, and says where it is and how it is created", async () => {
    const { exitCode, stdout, stderr } = await run([join(TESTDATA, "secrets.mjs"), "printing"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toBe(
      `error: task "printing": secret "api-key" was not found
  "api-key" exists at project shop, domain production.
  For a task there, add: -p shop -d production
  Create it for project flytesnacks, domain development:
    flyte-secrets create secret api-key -p flytesnacks -d development
  --verbose shows where it was looked for.
`,
    );
  });

  it("advises --local for a secret where a configuration names another service", async () => {
    const env = { FLYTE_ADMIN_ENDPOINT: "dns:///flyte.example.com" };
    const { stderr } = await run([join(TESTDATA, "secrets.mjs"), "printing"], env);
    expect(stderr).toContain("    flyte-secrets create secret api-key -p flytesnacks -d development --local\n");
  });

  it.each([
    [["nowhere.ts", "plain"], "there is no file nowhere.ts"],
    [[TASKS, "plain", "--input", "n"], "--input takes key=value"],
    [[TASKS, "plain", "--org", "acme"], "--org: the store's secrets are of organization flyte (secret.organization)"],
  ])("refuses %j as wrong usage", async (args, line) => {
    expect(await run(args)).toEqual({ exitCode: 2, stdout: "", stderr: `error: ${line}\n` });
  });
});
