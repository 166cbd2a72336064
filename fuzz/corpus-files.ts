import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const TARGETS = join(import.meta.dirname, "targets");
const CORPUS = join(import.meta.dirname, "corpus");
const FOUND = join(import.meta.dirname, ".found");

/** An input in a file. */
export interface CorpusFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The names of all targets: one file each in `targets/`. */
export function targetNames(): string[] {
  return readdirSync(TARGETS)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -".ts".length))
    .sort();
}

/** The inputs of a target that are kept in the repository, by name. */
export function readCorpus(target: string): CorpusFile[] {
  return readFiles(join(CORPUS, target));
}

/** What runs on this machine have found beside them; it isn't in the repository. */
export function readFound(target: string): CorpusFile[] {
  return readFiles(join(FOUND, target));
}

/** Keeps inputs for later runs on this machine. */
export function saveFound(target: string, inputs: readonly Uint8Array[]): void {
  for (const input of inputs) writeInput(join(FOUND, target), input);
}

/** Makes inputs the repository's corpus. Files with a name of their own, which somebody gave them, stay. */
export function saveCorpus(target: string, inputs: readonly Uint8Array[]): void {
  for (const { name } of readCorpus(target)) if (/^[0-9a-f]{16}$/.test(name)) rmSync(join(CORPUS, target, name));
  for (const input of inputs) writeInput(join(CORPUS, target), input);
}

/** Writes the input of a find, to be reproduced; returns the file. */
export function saveFind(target: string, input: Uint8Array): string {
  return writeInput(join(FOUND, "finds", target), input);
}

function readFiles(directory: string): CorpusFile[] {
  let names: string[];
  try {
    names = readdirSync(directory).sort();
  } catch {
    return [];
  }
  return names.map((name) => ({ name, bytes: readFileSync(join(directory, name)) }));
}

/** Named by its content, so that the same input is written once. */
function writeInput(directory: string, input: Uint8Array): string {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, createHash("sha256").update(input).digest("hex").slice(0, 16));
  writeFileSync(file, input);
  return file;
}
