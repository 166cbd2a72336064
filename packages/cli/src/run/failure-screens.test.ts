import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SecretId, SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callCli } from "../testing/call-cli.ts";

const FILES = join(import.meta.dirname, "../../testdata/run/failures");

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "failure-screens-"));
  const store = await openEmbeddedStore({ directory: join(home, ".flyte-secrets") });
  const put = (id: Omit<SecretId, "org">) =>
    store.create({ org: "flyte", ...id }, { type: "generic", value: SecretValue.fromText("a-value") });
  await put({ project: "shop", domain: "production", name: "openai-key" });
  await put({ project: "", domain: "staging", name: "openai-key" });
  await put({ project: "", domain: "", name: "api-key" });
  await store.close();
});
afterAll(() => rm(home, { recursive: true }));

/** What a user sees who types it in the directory of the files. */
async function screen(command: string): Promise<string> {
  const env = { HOME: home, PATH: process.env.PATH ?? "" };
  const { exitCode, stdout, stderr } = await callCli({ args: command.split(" "), env, cwd: FILES });
  return `$ flyte-secrets ${command}\n${stdout}${stderr}[exit code ${exitCode}]\n`;
}

/** Each is a file in `failure-screens/`, to be looked at. */
const SCREENS: Readonly<Record<string, string>> = {
  "task-throws": "run code.ts f",
  "task-in-workflow-throws": "run code.ts outer",
  "workflow-wraps-a-task's-error": "run code.ts wrapping",
  "sub-workflow-throws": "run code.ts inWorkflow",
  "task-throws-a-text": "run code.ts text",
  "task-throws-an-object": "run code.ts object",
  "input-missing": "run code.ts wantsInput",
  "timer-throws": "run code.ts stray",
  "task-ends-the-process": "run code.ts leaving",
  "hard-coded-path": "run code.ts hardCoded",
  "secret-not-given": "run code.ts notGiven",
  "result-with-a-bigint": "run code.ts bigResult",
  "result-with-a-map": "run code.ts mapResult",
  "result-with-a-function": "run code.ts functionResult",
  "result-in-a-circle": "run code.ts circularResult",
  "input-with-a-bigint": "run code.ts bigInput",
  "secret-missing": "run code.ts calls",
  "secret-missing-verbose": "run code.ts missing --verbose",
  "one-of-two-secrets-missing": "run code.ts several",
  "task-unknown": "run code.ts missin",
  "task-not-named": "run code.ts",
  "syntax-ts": "run syntax.ts a",
  "syntax-mjs": "run syntax.mjs a",
  "syntax-cjs": "run syntax.cjs a",
  "syntax-of-an-import-ts": "run imports-syntax.ts a",
  "syntax-of-an-import-mjs": "run imports-syntax.mjs a",
  "package-missing-ts": "run no-package.ts a",
  "package-missing-mjs": "run no-package.mjs a",
  "file-missing-ts": "run no-file.ts a",
  "file-missing-mjs": "run no-file.mjs a",
  "export-missing": "run no-export.mjs a",
  "file-throws": "run throws.ts a",
  "secret-bad-variable": "run bad-variable.ts a",
  "secret-unknown-field": "run unknown-field.mjs a",
  "secret-plain-object": "run plain-object.mjs a",
  "task-unknown-field": "run misspelt-option.mjs a",
  "no-tasks-in-the-file": "run shade.mjs",
  python: "run hello.py main",
  "json-file": "run data.json main",
  directory: "run . main",
  "explain-task": "explain code.ts several -o table-simple",
  "explain-task-elsewhere": "explain code.ts missing -p shop -d production -o table-simple",
  "explain-workflow": "explain code.ts calls -o table-simple",
  "explain-task-without-secrets": "explain code.ts f",
  "explain-task-not-named": "explain code.ts",
  "explain-task-and-group": "explain code.ts missing --group db",
};

describe("a run that fails", () => {
  it.each(Object.entries(SCREENS))("shows what is wrong and where: %s", async (name, command) => {
    const shown = await screen(command);
    // Nothing of ours, of Node's or of the compiler's: the user's files are all in one directory.
    expect(shown).not.toMatch(/node:|node_modules|packages\//);
    await expect(shown).toMatchFileSnapshot(`failure-screens/${name}.txt`);
  });
});
