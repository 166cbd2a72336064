import { existsSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { decodeText, NOT_TEXT, SecretsError, systemReason } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { projectDirectories } from "./project-directories.ts";
import type { ProjectFile } from "./project-file.ts";

/** The name of the file in a repository that says which secrets its project needs. */
export const PROJECT_FILE = "flyte-secrets.yaml";

/** 256 secrets with ordinary names and descriptions take a tenth of it. */
export const MAX_PROJECT_FILE_BYTES = 262_144;

/** Whether a file is called as a project file is. */
export function isProjectFile(file: string): boolean {
  return basename(file) === PROJECT_FILE;
}

/**
 * The project file of the current directory, or of the nearest one above up to the project's root; undefined when there
 * is none. One that others than this user and root may write is left out, with a warning that ends in the remedy for
 * its name. Throws as `parseProjectFile` does.
 */
export async function findProjectFile(
  { cwd, stderr }: CliContext,
  remedyFor: (name: string) => string,
): Promise<ProjectFile | undefined> {
  const path = projectDirectories(cwd)
    .map((directory) => join(directory, PROJECT_FILE))
    .find((candidate) => existsSync(candidate));
  if (path === undefined) return undefined;
  const name = relative(cwd, path);
  const found = await readFound(path, name);
  if (found === undefined) return undefined;
  if ("writer" in found) {
    stderr.warn(`${path} is left out: ${found.writer}. ${remedyFor(name)}`);
    return undefined;
  }
  if (found.bytes.length > MAX_PROJECT_FILE_BYTES) {
    throw new SecretsError(
      "invalid_argument",
      `${name} has more than ${MAX_PROJECT_FILE_BYTES} bytes; nothing of it was used`,
    );
  }
  const text = decodeText(found.bytes);
  if (text === undefined) throw new SecretsError("invalid_argument", `${name}: ${NOT_TEXT}`);
  const { parseProjectFile } = await import("./project-file.ts");
  return parseProjectFile(text, name);
}

async function readFound(path: string, name: string) {
  const { readFoundBytes } = await import("@flyte-secrets/config");
  try {
    return readFoundBytes(path, MAX_PROJECT_FILE_BYTES);
  } catch (error) {
    throw new SecretsError("invalid_argument", `${name} cannot be read: ${systemReason(error)}`, { cause: error });
  }
}
