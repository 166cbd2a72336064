import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const CODE = `import { currentContext, Secret, task } from "@flyte-secrets/sdk";
const openai = new Secret({ key: "openai-key", asEnvVar: "OPENAI" });
const variable = task({ name: "variable", secrets: openai }, async () => process.env.OPENAI ?? "none");
const read = task({ name: "read", secrets: openai }, async () => currentContext().getSecret(undefined, "openai-key"));
console.log(await variable(), await variable(), await read().catch((error) => error.brief));`;

/** What `node file.js` prints, without what Node puts around a warning. */
function runPlainly(env: Record<string, string>) {
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", CODE], {
    cwd: import.meta.dirname,
    env: { PATH: process.env.PATH, ...env },
    encoding: "utf8",
  });
  return { stdout, warnings: stderr.split("\n").flatMap((line) => /Warning: (.*)/.exec(line)?.[1] ?? []) };
}

test("a task that is called without a runner warns once of a variable that nothing sets, and getSecret says how to run it", () => {
  expect(runPlainly({})).toEqual({
    stdout:
      'none none Nothing has given this process the secret with key: "openai-key": ' +
      "run its task with flyte-secrets run FILE TASK.\n",
    warnings: [
      'Nothing has set the variable OPENAI for secret "openai-key": a task gets its secrets when flyte-secrets run FILE TASK runs it.',
    ],
  });
});

test("where the variable is set, or in a task of Flyte's, there is no warning", () => {
  expect(runPlainly({ OPENAI: "from-a-test" })).toMatchObject({
    stdout: expect.stringMatching(/^from-a-test from-a-test /),
    warnings: [],
  });
  expect(runPlainly({ FLYTE_INTERNAL_EXECUTION_PROJECT: "shop" })).toEqual({
    stdout:
      'none none This task was not given the secret with key: "openai-key". ' +
      'Add secretRequests: [new Secret({ key: "openai-key" })] to the task or to a workflow that calls it.\n',
    warnings: [],
  });
});
