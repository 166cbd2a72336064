import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runProgram } from "./support/run-program.ts";

const root = join(import.meta.dirname, "..");
const minute = /^## In 60 seconds\n(.*?)^## /ms.exec(readFileSync(join(root, "README.md"), "utf8"))?.[1] ?? "";
const commands = [...minute.matchAll(/^\$ npx (flyte-secrets .*)$/gm)].map((match) => match[1] ?? "");
const tasks = /^```ts\n(.*?)^```/ms.exec(minute)?.[1] ?? "";

let serve: ServeProcess;
let directory: string;
beforeAll(async () => {
  serve = await startServe();
  // Inside the checkout, where a user of the page would be: the SDK is found from there.
  directory = mkdtempSync(join(root, "e2e/.readme-"));
  writeFileSync(join(directory, "tasks.ts"), tasks);
  writeFileSync(join(directory, "password.txt"), "password-of-this-test");
});
afterAll(async () => {
  await serve.close();
  rmSync(directory, { recursive: true });
});

test("the commands of the README's first minute work in their order", async () => {
  const PATH = [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
  const outcomes: Record<string, unknown> = {};
  for (const command of commands.filter((one) => !one.endsWith(" serve"))) {
    // Without a terminal nobody can type the value.
    const asked = command === "flyte-secrets create secret openai-key";
    const line = asked ? `${command} --from-file -` : command;
    const options = { cwd: directory, env: { ...serve.env, PATH }, input: asked ? "key-of-this-test" : "" };
    const { exitCode, stdout, stderr } = await runProgram("sh", ["-c", line], options);
    outcomes[command] = exitCode === 0 ? stdout : { exitCode, stderr };
  }
  expect(outcomes).toEqual({
    "flyte-secrets create secret openai-key": expect.stringContaining("Created secret openai-key"),
    "flyte-secrets create secret db-password --project flytesnacks --domain development --from-file password.txt":
      expect.stringContaining("Created secret db-password"),
    "flyte-secrets get secret": expect.stringMatching(/openai-key[\s\S]*db-password/),
    "flyte-secrets run tasks.ts main": '["the key has 16 characters","the password has 21 characters"]\n',
    "flyte-secrets explain db-password --project flytesnacks --domain development": expect.stringContaining("found"),
    "flyte-secrets doctor": expect.stringContaining("ok"),
  });
});
