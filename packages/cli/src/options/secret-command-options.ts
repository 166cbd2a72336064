import { checkExistingId, checkSecretId, DEFAULT_ORGANIZATION, SecretsError } from "@flyte-secrets/core";
import type { Command } from "commander";
import { addConnectionOptions, addScopeOptions, type ConnectionOptions, type ScopeOptions } from "./common-options.ts";
import { refuseTogether } from "./exclusive.ts";

/** What every command on a secret takes. */
export interface SecretCommandOptions extends ConnectionOptions, ScopeOptions {
  readonly clusterPool?: string;
}

/** Adds what {@link SecretCommandOptions} reads. */
export function addSecretOptions(command: Command): Command {
  addScopeOptions(command).option(
    "--cluster-pool <pool>",
    "ask the clusters of this pool; excludes project and domain",
  );
  return addConnectionOptions(command);
}

/** What a command takes that changes a secret that is there. */
export interface ChangeOptions {
  readonly force?: boolean;
}

/** Adds what {@link ChangeOptions} reads. */
export function addForceOption(command: Command): Command {
  return command.option("--force", "also where something else keeps it, such as External Secrets or Argo CD");
}

/**
 * Throws `usage` or `invalid_argument` for a scope or name that no secret can have, or that none is created with, before
 * anybody is asked for a value.
 */
export function checkSecretOptions(options: SecretCommandOptions, name?: string, isNew = false): void {
  const { project = "", domain = "", clusterPool, config = [] } = options;
  refuseTogether({ "--cluster-pool": clusterPool, "--project": project || undefined });
  refuseTogether({ "--cluster-pool": clusterPool, "--domain": domain || undefined });
  if (project && !domain) throw new SecretsError("usage", "--project needs --domain");
  if (config.length > 1) throw new SecretsError("usage", "-c/--config takes one file here");
  const id = { org: DEFAULT_ORGANIZATION, domain, project, name: name ?? "any" };
  if (isNew) checkSecretId(id);
  else checkExistingId(id);
}

/** The scope in words, for messages: `project shop of domain production`. */
export function describeScope({ project, domain, clusterPool }: SecretCommandOptions): string {
  if (clusterPool) return `cluster pool ${clusterPool}`;
  if (project) return `project ${project}, domain ${domain}`;
  return domain ? `domain ${domain}` : "global scope";
}
