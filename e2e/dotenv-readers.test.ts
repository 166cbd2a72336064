import type { DotenvReader, SecretEntry } from "@flyte-secrets/cli/testing";
import {
  dotenvFiles,
  dotenvFormat,
  dotenvValues,
  readAssignments,
  secretNames,
  sortedEntries,
  variableOf,
} from "@flyte-secrets/cli/testing";
import { isSecretsError, SecretValue } from "@flyte-secrets/core";
import { parse } from "dotenv";
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  type DotenvAnswer,
  PYTHON_DOTENV,
  readByCompose,
  readByPython,
  requireComposeReader,
} from "./support/dotenv-readers.ts";
import { requirePython } from "./support/python-environment.ts";
import { describeWith } from "./support/requirement.ts";

const FILES = 20_000;
const seed = Date.now() % 1_000_000;

const comparable = (answer: DotenvAnswer) => answer && sortedEntries(answer);
const readByNpm = (files: readonly string[]): DotenvAnswer[] => files.map((file) => parse(file));

const READERS: readonly [name: string, read: (files: readonly string[]) => DotenvAnswer[], forOne: DotenvReader][] = [
  ["npm's dotenv", readByNpm, "dotenv"],
  ["python-dotenv", readByPython, "dotenv"],
  ["docker compose", readByCompose, "compose"],
];

function unlessRefused<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (isSecretsError(error, "invalid_argument")) return undefined;
    throw error;
  }
}

function readByUs(file: string): DotenvAnswer {
  const assignments = unlessRefused(() => readAssignments(file));
  return assignments && Object.fromEntries(assignments.map(({ variable, value }) => [variable, value]));
}

const python = requirePython(PYTHON_DOTENV);
describeWith(python.missing ? python : requireComposeReader(), "readers of .env files", () => {
  it(`import reads of ${FILES} generated files what each of them reads, or refuses (seed ${seed})`, () => {
    const all = fc.sample(dotenvFiles, { numRuns: FILES, seed });
    const files = all.filter((file) => readByUs(file) !== undefined);
    expect(files.length).toBeGreaterThan(FILES / 5);
    for (const [name, read] of READERS) {
      for (const [at, answer] of read(files).entries()) {
        const file = files[at] ?? "";
        expect([name, file, comparable(answer)]).toEqual([name, file, comparable(readByUs(file))]);
      }
    }
  });

  it.each(READERS)(`an export is what %s reads, for all or for it alone (seed ${seed})`, (_, read, forOne) => {
    const values = fc.sample(dotenvValues, { numRuns: FILES / 4, seed });
    const names = fc.sample(secretNames, { numRuns: FILES / 4, seed });
    for (const reader of [undefined, forOne]) {
      const written = values.flatMap((text, at) => {
        const [name = "", value] = [names[at], SecretValue.fromText(text.toWellFormed())];
        const entry: SecretEntry = { name, type: "generic", value };
        const file = unlessRefused(() => dotenvFormat.print([entry], reader && { reader }));
        return file === undefined ? [] : [{ file, expected: [[variableOf(name), value.revealText()]] }];
      });
      expect(written.length).toBeGreaterThan(FILES / 10);
      for (const [at, answer] of read(written.map(({ file }) => file)).entries()) {
        expect([written[at]?.file, comparable(answer)]).toEqual([written[at]?.file, written[at]?.expected]);
      }
    }
  });
});
