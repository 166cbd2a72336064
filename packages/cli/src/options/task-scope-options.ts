import type { Config } from "@flyte-secrets/config";
import { type SecretScope, SecretsError } from "@flyte-secrets/core";
import type { Command } from "commander";
import { type CliContext, sdkEnvironment } from "../context.ts";
import type { ProjectNeeds } from "../project-file/project-file.ts";

/** Flyte's own defaults for a task that names neither. */
const DEFAULT_PROJECT = "flytesnacks";
const DEFAULT_DOMAIN = "development";

/** The scope of the task that requests secrets. */
export interface TaskScopeOptions {
  readonly project?: string;
  readonly domain?: string;
  readonly org?: string;
  /** Of the project file. */
  readonly environment?: string;
}

/** Adds what {@link TaskScopeOptions} reads. */
export function addTaskScopeOptions(command: Command): Command {
  return command
    .optionsGroup("Scope:")
    .option("-p, --project <project>", `project of the task (default: that of flyte-secrets.yaml, ${DEFAULT_PROJECT})`)
    .option("-d, --domain <domain>", `domain of the task (default: that of flyte-secrets.yaml, ${DEFAULT_DOMAIN})`)
    .option("--environment <name>", "environment of flyte-secrets.yaml")
    .option("--org <organization>", "organization of the task (default: that of the store)");
}

/**
 * The scope of a task: each part from the options, then Flyte's variables, the project file, Flyte's configuration,
 * then Flyte's own defaults. The project file is looked for unless `needs` has what it says.
 */
export async function resolveTaskScope(
  { needs, ...options }: TaskScopeOptions & { readonly needs?: ProjectNeeds | undefined },
  { secret }: Config,
  cli: CliContext,
): Promise<SecretScope> {
  const { resolveScope } = await import("@flyte-secrets/sdk/connection");
  const { project, domain } = needs ?? (await findNeeds(options, cli)) ?? {};
  const byProject = { ...(project && { project }), ...(domain && { domain }) };
  const found = await resolveScope({ byProject }, sdkEnvironment(cli));
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

/** What the project file says that is found, for the environment of the options; nothing where they say it all. */
async function findNeeds(options: TaskScopeOptions, cli: CliContext): Promise<ProjectNeeds | undefined> {
  const { project, domain, environment } = options;
  if (project !== undefined && domain !== undefined && environment === undefined) return undefined;
  const { findProjectFile } = await import("../project-file/find-project-file.ts");
  const file = await findProjectFile(cli, () => "Its project and domain can be given: -p PROJECT -d DOMAIN");
  if (file === undefined && environment === undefined) return undefined;
  const { needsIn } = await import("../project-file/project-file.ts");
  if (file !== undefined) return needsIn(file, environment);
  throw new SecretsError("usage", "--environment names one of flyte-secrets.yaml, and there is none here or above");
}
