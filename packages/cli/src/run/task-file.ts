import { statSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import { DetailedError } from "../failure.ts";
import { shellWord } from "../options/shell-word.ts";

// A file of its own: every command imports it to recognize its operands, and only some load what runs tasks.
const ENDINGS = [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs"];

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
  const rule = `tasks are in JavaScript or TypeScript files (${ENDINGS.join(", ")})`;
  if (ending !== ".py") throw new SecretsError("usage", `${basename(path)} can't define tasks: ${rule}`);
  throw new DetailedError("usage", `${basename(path)} is Python, and run starts TypeScript and JavaScript alone`, [
    "  Python tasks get their secrets from a cluster's webhook. On this machine, a",
    "  shell can give them those of one scope as variables:",
    "    flyte-secrets export --with-values --for sh --to-file job.env -p PROJECT -d DOMAIN",
    `    (set -a; . ./job.env; exec python ${shellWord(file)})`,
  ]);
}
