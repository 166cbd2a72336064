import { statSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { SecretsError } from "@flyte-secrets/core";

// A file of its own: every command imports it to recognize its operands, and only some load what runs tasks.
const PYTHON = ".py";
const ENDINGS = [PYTHON, ".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs"];

/** Whether there is a file of that name that may define tasks. */
export function isTaskFile(file: string, cwd: string): boolean {
  const path = resolve(cwd, file);
  return ENDINGS.includes(extname(path)) && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** The absolute path of a file that may define tasks; `usage` where there is none, or it is of another language. */
export function taskFilePath(file: string, cwd: string): string {
  const path = resolve(cwd, file);
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) throw new SecretsError("usage", `there is no file ${file}`);
  if (!status.isFile()) throw new SecretsError("usage", `${file} is not a file; name the file that defines the task`);
  const ending = extname(path);
  if (ending === "" || ENDINGS.includes(ending)) return path;
  throw new SecretsError(
    "usage",
    `${basename(path)} can't define tasks: tasks are in Python, JavaScript or TypeScript files (${ENDINGS.join(", ")})`,
  );
}

/** Whether its tasks are of Flyte's own SDKs. */
export function isPythonFile(file: string): boolean {
  return extname(file) === PYTHON;
}
