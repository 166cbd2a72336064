import { readFileSync } from "node:fs";
import { extname, join } from "node:path";

// Files that the program finds by their path. All are named here, since the image's bundle (scripts/bundle-command.ts)
// keeps this directory and none below it.
const directory = import.meta.dirname;

/** The program itself, to be started again. */
export const PROGRAM = join(directory, "../bin/flyte-secrets.js");

/** What a process of a task runs: compiled or, in this project's tests, TypeScript. */
export const CHILD_MAIN = join(directory, `run/child-main${extname(import.meta.filename)}`);

/** What a user's Python runs to read the tasks of a file. */
export const READ_PYTHON_TASKS = join(directory, "../python/read_tasks.py");

/** What asks for the version. */
export const VERSION_FLAGS = ["-V", "--version"] as const;

/** The version of this package. */
export function version(): string {
  const text = readFileSync(join(directory, "../package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version; // our own file
}
