import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "@flyte-secrets/cli/testing";
import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { expect, onTestFinished, test } from "vitest";

const CANARY = `canary é/"17\\&<+ ${"x".repeat(20)}`;

/** Runs a task of `showing-tasks.mjs` with these secrets. */
async function runWith(secrets: Readonly<Record<string, string>>, task: string) {
  const home = mkdtempSync(join(tmpdir(), "flyte-secrets-masking-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const store = await openEmbeddedStore({ directory: join(home, ".flyte-secrets") });
  for (const [name, value] of Object.entries(secrets)) {
    const id = { org: "flyte", project: "shop", domain: "production", name };
    await store.create(id, { type: "generic", value: SecretValue.fromText(value) });
  }
  await store.close();
  const args = ["run", join(import.meta.dirname, "showing-tasks.mjs"), task, "-p", "shop", "-d", "production"];
  return runCli({ args, env: { PATH: process.env.PATH ?? "", HOME: home }, cwd: home });
}

test("three connection strings that differ only in account and key are masked to their ends", async () => {
  const valueWith = (number: number) =>
    `DefaultEndpointsProtocol=https;AccountName=acmedata${number};AccountKey=${randomBytes(64).toString("base64")};EndpointSuffix=core.windows.net`;
  const run = await runWith({ first: valueWith(1), second: valueWith(2), third: valueWith(3) }, "showAlike");
  expect(run).toMatchObject({ exitCode: 0, stderr: "", stdout: "first: <***>\nsecond: <***>\nthird: <***>\n" });
});

test("M7: a task that shows its secret in every way that happens by accident shows a mask each time", async () => {
  const { exitCode, stdout, stderr } = await runWith({ "api-key": CANARY }, "show");
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
in HTML, by names: <***>
in HTML, letters too: <***>
in JSON, letters too: <***>
in JSON of a buffer, by lines: <{
  "type": "Buffer",
  "data": [
    ***
  ]
}>
in CSV: <***>
in lines of base64: <***>`);
});
