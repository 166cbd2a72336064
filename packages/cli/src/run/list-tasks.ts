import type { Config } from "@flyte-secrets/config";
import { excerpt, SecretsError } from "@flyte-secrets/core";
import type { TaskDefinition } from "@flyte-secrets/sdk";
import type { CliContext } from "../context.ts";
import { DetailedError } from "../failure.ts";
import { shellOperands } from "../options/shell-word.ts";
import { describeRunFailure } from "./describe-run-failure.ts";
import { describeMissingTask } from "./load-tasks.ts";
import { childEnvironment, runChild } from "./run-child.ts";
import { serializeError } from "./serialized-error.ts";

/** How many tasks of a file are listed. */
const MAX_LISTED = 20;

export interface LoadTaskDefinitionsOptions {
  readonly config: Config;
  readonly cli: CliContext;
  readonly verbose?: boolean;
}

/**
 * The tasks and workflows that a file defines, in their order, without running any. What the file prints goes to
 * standard error. Throws as `run` does for a file that can't be loaded.
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
  if (tasks.length === 0) return new SecretsError("usage", describeMissingTask("", [], file));
  const lines = tasks.slice(0, MAX_LISTED).map(({ name, kind }) => {
    const typed = `    flyte-secrets ${command} ${shellOperands(file, name)}`;
    return kind === "workflow" ? `${typed}  # a workflow` : typed;
  });
  const more = tasks.length > MAX_LISTED ? [`    and ${tasks.length - MAX_LISTED} more`] : [];
  return new DetailedError("usage", `name the task; ${excerpt(file)} has:`, [...lines, ...more]);
}
