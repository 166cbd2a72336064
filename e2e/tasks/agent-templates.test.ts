// The templates that the Vault manager has the agent render, judged by Go's text/template, which is what the agent
// renders with.
import { execFileSync, spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MountRequirement } from "@flyte-secrets/core";
import type { PodEdit } from "@flyte-secrets/inject";
import { createVaultInjector } from "@flyte-secrets/inject";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, type Requirement } from "../support/requirement.ts";

const source = join(import.meta.dirname, "agent-templates");

function requireGo(): Requirement {
  if (spawnSync("go", ["version"]).status === 0) return { missing: false };
  return { missing: true, what: "Go", enable: "install Go 1.24 or newer" };
}

interface Question {
  readonly Template: string;
  readonly Secrets: Readonly<Record<string, unknown>>;
  readonly Strict: boolean;
}

const injector = createVaultInjector();
const context = { labels: {}, namespace: "n", variables: { prefix: "_UNION_", style: "raw" } } as const;

/** The agent's question for a key of a secret, whose answer is then the file. */
async function ask(group: string, key: string, data: unknown, groupVersion = "kv2"): Promise<Question> {
  const request = { group, key, groupVersion, mountRequirement: MountRequirement.FILE, envVar: "" };
  const injection = await injector.inject(request, context);
  if (!injection.injected) throw new Error(injection.reason);
  const annotations = injection.edits.filter(
    (edit): edit is Extract<PodEdit, { kind: "annotation" }> => edit.kind === "annotation",
  );
  const annotation = (part: string) => annotations.find(({ name }) => name.includes(part))?.value ?? "";
  const Strict = annotation("/error-on-missing-key-") === "true";
  const path = annotation("/agent-inject-secret-");
  return {
    Template: annotation("/agent-inject-template-"),
    Secrets: { [path]: groupVersion === "kv1" ? data : { data } },
    Strict,
  };
}

describeWith(requireGo(), "templates of Vault's agent", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "agent-templates-"));
    execFileSync("go", ["build", "-C", source, "-o", join(directory, "render"), "."], { stdio: "inherit" });
  }, 300_000);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function render(questions: readonly Question[]): { text: string; error?: string }[] {
    const input = questions.map((question) => JSON.stringify(question)).join("\n");
    const output = execFileSync(join(directory, "render"), { input, maxBuffer: 1 << 26 });
    return output
      .toString()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  }

  test.each([
    "api-key",
    "1st",
    "user.name",
    "password",
    "_",
    "a b",
    'q"x',
    "back\\slash",
    "ключ",
    "}}",
    "{{ .Data }}",
    "nil",
    "1",
  ])("gives the value of key %s, and nothing where it isn't there", async (key) => {
    for (const group of ["secret/data/db", 'secret/data/q"x', "secret/data/}}"]) {
      for (const version of ["kv1", "kv2", ""]) {
        const [there, missing] = render([
          await ask(group, key, { [key]: "the value", other: "x" }, version),
          await ask(group, key, { other: "x" }, version),
        ]);
        expect(there).toEqual({ text: "the value" });
        expect(missing).toEqual({ text: "", error: expect.stringMatching(/no entry for key|nil/) });
      }
    }
  });

  // JSON, and the text that it is in the file: a number keeps its digits.
  test.each([
    ['""', ""],
    ["0", "0"],
    ["12345678901234567890", "12345678901234567890"],
    ["1.10", "1.10"],
    ["false", "false"],
    ['"<no value>"', "<no value>"],
  ])("takes the value %s for one, whatever the key", async (json, text) => {
    for (const key of ["password", "api-key"]) {
      const question = JSON.stringify(await ask("db", key, "DATA")).replace('"DATA"', `{"${key}":${json}}`);
      expect(JSON.parse(execFileSync(join(directory, "render"), { input: question }).toString())).toEqual({ text });
    }
  });

  test("gives the value of any key of any group", async () => {
    const name = fc
      .string({ unit: "binary", minLength: 1, maxLength: 20 })
      .filter((text) => !/[\0/]|^\.\.?$/.test(text));
    const cases = fc.sample(fc.tuple(name, name, fc.string({ unit: "grapheme" })), 2_000);
    const questions = await Promise.all(cases.map(([group, key, value]) => ask(group, key, { [key]: value })));
    expect(render(questions)).toEqual(cases.map(([, , text]) => ({ text })));
  });
});
