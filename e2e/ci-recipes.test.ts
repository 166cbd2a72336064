// docs/ci.md, as it is printed.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { blocksOf } from "./pages/page-blocks.ts";
import { type GoProgram, goProgram, requireGoProgram } from "./support/go-program.ts";
import { CLI, useLocalHome } from "./support/local-home.ts";
import { describeWith } from "./support/requirement.ts";
import { runProgram } from "./support/run-program.ts";

const ACTIONLINT: GoProgram = {
  name: "actionlint",
  path: "github.com/rhysd/actionlint/cmd/actionlint",
  version: "v1.7.12",
};
const home = useLocalHome();
const [needs = "", github = "", gitlab = ""] = blocksOf("docs/ci.md").map(({ text }) => text);
const LINES = { github: parse(github).jobs.test.steps[2].run, gitlab: parse(gitlab).test.script[2] };

test.each(Object.entries(LINES))("the line of %s gives a program the job's secrets, masked", async (_, line) => {
  const bin = join(home.path, "bin");
  mkdirSync(bin);
  const programs = {
    "flyte-secrets": `exec "${process.execPath}" "${CLI}" "$@"`,
    pytest: `echo "$OPENAI_KEY \${#OPENAI_KEY} \${#PGPASSWORD} <$SERVICE_ACCOUNT>"; wc -c < "$GOOGLE_APPLICATION_CREDENTIALS"`,
  };
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  writeFileSync(join(home.path, "flyte-secrets.yaml"), needs);
  const job = { OPENAI_KEY: "key-of-the-job", PGPASSWORD: "password-of-the-job", SERVICE_ACCOUNT: "{}\n" };
  const run = (env: Record<string, string>) =>
    runProgram("sh", ["-c", String(line)], {
      cwd: home.path,
      env: home.environment({ PATH: `${bin}:${process.env.PATH}`, ...env }),
    });
  const { exitCode, stdout, stderr } = await run(job);
  expect([exitCode, stdout], stderr).toEqual([0, "*** 14 19 <>\n3\n"]);
  expect(await run({ ...job, PGPASSWORD: "" })).toMatchObject({
    exitCode: 1,
    stdout: "",
    stderr: expect.stringContaining('"password" is taken from PGPASSWORD, which is empty or not set.'),
  });
});

describeWith(requireGoProgram(ACTIONLINT), "the workflow of docs/ci.md", () => {
  test("has nothing that actionlint finds fault with", async () => {
    const file = join(home.path, "test.yaml");
    writeFileSync(file, github);
    expect(await runProgram(goProgram(ACTIONLINT), [file])).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  });
});
