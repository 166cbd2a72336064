import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSecretsError, SecretValue } from "@flyte-secrets/core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dotenvValues, secretNames } from "../testing/dotenv-files.ts";
import { dotenvFormat, variableOf } from "./dotenv-format.ts";
import type { DotenvReader, SecretEntry } from "./secret-entry.ts";

/** `sh` is dash on Debian and bash on others. */
const SHELLS = ["bash", "dash", "sh"].filter((shell) => spawnSync(shell, ["-c", ":"]).status === 0);
const BATCH = 500;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "flyte-secrets-sourced-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Sources `text` with every assignment exported, and gives the variables `names` as a program sees them. */
function source(shell: string, text: string, names: readonly string[]): (string | undefined)[] {
  const file = join(directory, "out.env");
  writeFileSync(file, text);
  const script = `set -a; . ${file}; set +a; exec ${process.execPath} -e 'process.stdout.write(JSON.stringify(process.env))'`;
  const { stdout, stderr, status } = spawnSync(shell, ["-c", script], {
    cwd: directory,
    // Without SHLVL, and with a socket for standard input, bash takes itself for the shell of rshd.
    env: { PATH: process.env.PATH ?? "", SHLVL: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
  expect({ stderr, status, files: readdirSync(directory) }).toEqual({ stderr: "", status: 0, files: ["out.env"] });
  const seen: Record<string, string> = JSON.parse(stdout);
  return names.map((name) => seen[name]);
}

function print(name: string, value: string, reader?: DotenvReader): string | undefined {
  const entries: SecretEntry[] = [{ name, type: "generic", value: SecretValue.fromText(value) }];
  try {
    return dotenvFormat.print(entries, reader && { reader });
  } catch (error) {
    if (isSecretsError(error, "invalid_argument")) return undefined;
    throw error;
  }
}

describe.each(SHELLS)("sourcing an export in %s", (shell) => {
  it.each([
    ["for all readers", undefined] as const,
    ["for shells", "sh"] as const,
  ])("sets every generated value, byte for byte, and does nothing else: %s", (_, reader) => {
    const values = fc.sample(dotenvValues, 2_000).map((value) => value.toWellFormed());
    const lines = values.flatMap((value, at) => {
      const name = `V${at}`;
      const line = print(name, value, reader);
      return line === undefined ? [] : [{ name, value, line }];
    });
    expect(lines.length).toBeGreaterThan(1_000);
    for (let at = 0; at < lines.length; at += BATCH) {
      const batch = lines.slice(at, at + BATCH);
      const names = batch.map(({ name }) => name);
      expect(source(shell, batch.map(({ line }) => line).join(""), names)).toEqual(batch.map(({ value }) => value));
    }
  });

  it("sets every variable that a generated name becomes", () => {
    const byVariable = new Map(fc.sample(secretNames, 1_000).map((name) => [variableOf(name) ?? "", name]));
    const lines = [...byVariable].flatMap(([variable, name]) => {
      const line = print(name, "v'al ue");
      return line === undefined ? [] : [{ variable, line }];
    });
    const variables = lines.map(({ variable }) => variable);
    expect(source(shell, lines.map(({ line }) => line).join(""), variables)).toEqual(variables.map(() => "v'al ue"));
  });

  it("sets every variable of the shell's own that isn't refused", () => {
    const { stdout } = spawnSync(shell, ["-c", shell === "bash" ? "compgen -v" : "set"], { encoding: "utf8" });
    const names = stdout.match(/^[A-Za-z_]\w*(?==|$)/gm) ?? [];
    expect(names.length).toBeGreaterThan(5);
    const lines = names.flatMap((name) => print(name, "v a") ?? []);
    const kept = lines.map((line) => line.slice(0, line.indexOf("=")));
    expect(source(shell, lines.join(""), kept)).toEqual(kept.map(() => "v a"));
  });
});
