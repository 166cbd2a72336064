import { statSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import type { Config } from "@flyte-secrets/config";
import { excerpt, SecretsError } from "@flyte-secrets/core";
import type { TaskDefinition } from "@flyte-secrets/sdk";
import type { CliContext } from "../context.ts";
import { DetailedError } from "../failure.ts";
import { shellOperands, shellWord } from "../options/shell-word.ts";
import { describeRunFailure } from "./describe-run-failure.ts";
import { noSuchTask } from "./load-tasks.ts";
import { childEnvironment, runChild } from "./run-child.ts";
import { serializeError } from "./serialized-error.ts";

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

/** How many tasks of a file are listed. */
const MAX_LISTED = 20;

export interface LoadTaskDefinitionsOptions {
  readonly config: Config;
  readonly cli: CliContext;
  readonly verbose?: boolean;
}

/**
 * The tasks and workflows that a file defines, in their order, without running any. What the file prints goes to standard
 * error. Throws as `run` does for a file that can't be loaded.
 */
export async function loadTaskDefinitions(
  file: string,
  { config, cli, verbose = false }: LoadTaskDefinitionsOptions,
): Promise<readonly TaskDefinition[]> {
  try {
    const definitions = await runChild({
      file,
      role: "lister",
      name: "",
      input: undefined,
      env: childEnvironment(cli.env, config.secrets["env-prefix"], new Map()),
      mask: undefined,
      stdout: cli.stderr.raw,
      stderr: cli.stderr.raw,
      signal: cli.interruption(),
    });
    // child-main.ts sends them, of this very package.
    return definitions as readonly TaskDefinition[];
  } catch (error) {
    throw await describeRunFailure(serializeError(error), { file, cwd: cli.cwd, verbose, masked: (text) => text });
  }
}

/** The `usage` failure of a command that lacks the task's name: shows the command with each task of the file. */
export function taskRequired(command: string, file: string, tasks: readonly TaskDefinition[]): SecretsError {
  if (tasks.length === 0) return new SecretsError("usage", noSuchTask("", [], file));
  const lines = tasks.slice(0, MAX_LISTED).map(({ name, kind }) => {
    const typed = `    flyte-secrets ${command} ${shellOperands(file, name)}`;
    return kind === "workflow" ? `${typed}  # a workflow` : typed;
  });
  const more = tasks.length > MAX_LISTED ? [`    and ${tasks.length - MAX_LISTED} more`] : [];
  return new DetailedError("usage", `name the task; ${excerpt(file)} has:`, [...lines, ...more]);
}
