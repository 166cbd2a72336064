import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { excerpt, SecretsError } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { checkOutput, STANDARD_OUTPUT } from "../values/output-file.ts";

/** `-` in the place of a template. */
export const STANDARD_INPUT = "-";

const MAX_FILES = 64;

/** The files of the command line. */
export interface FileOptions {
  readonly fromFile?: readonly string[];
  readonly toFile?: readonly string[];
  readonly reveal?: boolean;
}

/** A template, and where its result goes. */
export interface FilePair {
  readonly from: string;
  /** What {@link checkOutput} has returned. */
  readonly to: string;
}

/**
 * Pairs the first `-i` with the first `-o`, and so on; none is standard input and output. Throws `usage` where they do
 * not go together, or a result would replace a template or another result, and as {@link checkOutput} does.
 */
export function pairFiles(options: FileOptions, cli: CliContext): readonly FilePair[] {
  const { fromFile = [STANDARD_INPUT], reveal = false } = options;
  const toFile = options.toFile ?? (fromFile.length === 1 ? [STANDARD_OUTPUT] : []);
  if (fromFile.length !== toFile.length) throw usage("each -i FILE needs its -o FILE, in the same order");
  if (fromFile.length > MAX_FILES) throw usage(`there are more than ${MAX_FILES} templates`);
  if (fromFile.filter((file) => file === STANDARD_INPUT).length > 1) throw usage("-i - can be given only once");
  const templates = new Set(fromFile.map((file) => realPath(resolve(cli.cwd, file))));
  const results = new Set<string>();
  return fromFile.map((from, index) => {
    const file = toFile[index] ?? STANDARD_OUTPUT;
    const to = checkOutput(file, { reveal, cli });
    if (templates.has(to)) throw usage(`-o ${excerpt(file)} would replace a template`);
    if (results.has(to)) throw usage(`-o ${excerpt(file)} is given twice`);
    if (to !== STANDARD_OUTPUT) results.add(to);
    return { from, to };
  });
}

/** The path without links; as it is where nothing is there, which is an error once it is read. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

const usage = (problem: string): SecretsError => new SecretsError("usage", problem);
