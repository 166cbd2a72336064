import type { Config } from "@flyte-secrets/config";
import { type SecretScope, SecretsError } from "@flyte-secrets/core";
import type { Command } from "commander";
import { type CliContext, sdkEnvironment } from "../context.ts";

/** Flyte's own defaults for a task that names neither. */
const DEFAULT_PROJECT = "flytesnacks";
const DEFAULT_DOMAIN = "development";

/** The scope of the task that requests secrets. */
export interface TaskScopeOptions {
  readonly project?: string;
  readonly domain?: string;
  readonly org?: string;
}

/** Adds what {@link TaskScopeOptions} reads. */
export function addTaskScopeOptions(command: Command): Command {
  return command
    .optionsGroup("Scope:")
    .option("-p, --project <project>", `project of the task (default: ${DEFAULT_PROJECT})`)
    .option("-d, --domain <domain>", `domain of the task (default: ${DEFAULT_DOMAIN})`)
    .option("--org <organization>", "organization of the task (default: that of the store)");
}

/**
 * The scope of a task: each part from the options, then Flyte's variables and configuration, then Flyte's own defaults.
 */
export async function resolveTaskScope(
  options: TaskScopeOptions,
  { secret }: Config,
  cli: CliContext,
): Promise<SecretScope> {
  const { resolveScope } = await import("@flyte-secrets/sdk/connection");
  const found = await resolveScope({}, sdkEnvironment(cli));
  if (options.org !== undefined && options.org !== secret.organization) {
    throw new SecretsError(
      "usage",
      `--org: the store's secrets are of organization ${secret.organization} (secret.organization)`,
    );
  }
  return {
    org: secret.organization,
    project: options.project ?? found.project ?? DEFAULT_PROJECT,
    domain: options.domain ?? found.domain ?? DEFAULT_DOMAIN,
  };
}
