import type { Config } from "@flyte-secrets/config";
import { excerpt, SecretsError } from "@flyte-secrets/core";
import type { TaskDefinition } from "@flyte-secrets/sdk";
import { globalSecrets } from "@flyte-secrets/webhook";
import { FailureWithDetails } from "../failure-with-details.ts";
import type { Host } from "../host.ts";
import { shellOperands } from "../options/shell-word.ts";
import { childEnvironment } from "./child-environment.ts";
import { describeRunFailure } from "./describe-run-failure.ts";
import { toErrorOnWire } from "./error-on-wire.ts";
import { noSuchTask } from "./load-tasks.ts";
import { runChild } from "./run-child.ts";

/** How many tasks of a file are listed. */
const MAX_LISTED = 20;

export interface TasksOfOptions {
  readonly config: Config;
  readonly host: Host;
  readonly verbose?: boolean;
}

/**
 * The tasks and workflows that a file defines, in their order, without running any. What the file prints goes to standard
 * error. Throws as `run` does for a file that can't be loaded.
 */
export async function tasksOf(
  file: string,
  { config, host, verbose = false }: TasksOfOptions,
): Promise<readonly TaskDefinition[]> {
  try {
    const definitions = await runChild({
      file,
      role: "lister",
      name: "",
      input: undefined,
      env: childEnvironment(host.env, globalSecrets(config, host.env).envPrefix, new Map()),
      mask: undefined,
      stdout: host.stderr.raw,
      stderr: host.stderr.raw,
      signal: host.interruption(),
    });
    // child-main.ts sends them, of this very package.
    return definitions as readonly TaskDefinition[];
  } catch (error) {
    throw await describeRunFailure(toErrorOnWire(error), { file, cwd: host.cwd, verbose, masked: (text) => text });
  }
}

/** The `usage` failure of a command that lacks the task's name: shows the command with each task of the file. */
export function askForTask(command: string, file: string, tasks: readonly TaskDefinition[]): SecretsError {
  if (tasks.length === 0) return new SecretsError("usage", noSuchTask("", [], file));
  const lines = tasks.slice(0, MAX_LISTED).map(({ name, kind }) => {
    const typed = `    flyte-secrets ${command} ${shellOperands(file, name)}`;
    return kind === "workflow" ? `${typed}  # a workflow` : typed;
  });
  const more = tasks.length > MAX_LISTED ? [`    and ${tasks.length - MAX_LISTED} more`] : [];
  return new FailureWithDetails("usage", `name the task; ${excerpt(file)} has:`, [...lines, ...more]);
}
