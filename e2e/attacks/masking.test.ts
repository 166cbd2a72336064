import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/server/local";
import { expect, onTestFinished, test } from "vitest";
import { runCli } from "../../packages/cli/src/testing/run-cli.ts";

const CANARY = `canary é/"17\\&<+ ${"x".repeat(20)}`;

test("M7: a task that shows its secret in every way that happens by accident shows a mask each time", async () => {
  const home = mkdtempSync(join(tmpdir(), "flyte-secrets-masking-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const store = await openEmbeddedStore({ directory: join(home, ".flyte-secrets") });
  const id = { org: "flyte", project: "shop", domain: "production", name: "api-key" };
  await store.create(id, { type: "generic", value: SecretValue.fromText(CANARY) });
  await store.close();

  const args = ["run", join(import.meta.dirname, "showing-tasks.mjs"), "show", "-p", "shop", "-d", "production"];
  const { exitCode, stdout, stderr } = await runCli({
    args,
    env: { PATH: process.env.PATH ?? "", HOME: home },
    cwd: home,
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "split: <***>\n" });
  const [result, ...lines] = stdout.trimEnd().split("\n").reverse();
  expect(JSON.parse(result ?? "")).toEqual({ value: "***", twice: '"{\\"value\\":\\"***\\"}"' });
  expect(lines.reverse().join("\n")).toBe(`as it is: <***>
with a user in base64: <Authorization: Basic dXNlcj***==>
as a form: <value=***>
as a buffer: <<Buffer ***>>
as a list of numbers: <Uint8Array(38) [
   ***
]>
in hex, in upper case: <***>
in hex, with colons: <***>
in a URL, in lower case: <***>
in JSON in JSON: <"{\\"value\\":\\"***\\"}">
in JSON of ASCII: <"***">
in JSON with \\/: <"***">
decomposed: <***>
in HTML: <***>
in lines of base64: <***>`);
});
