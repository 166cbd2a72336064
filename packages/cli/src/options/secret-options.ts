import { checkExistingId, checkSecretId, DEFAULT_ORGANIZATION, SecretsError } from "@flyte-secrets/core";
import { type Command, Option } from "commander";
import { rejectCombination } from "./check-options.ts";

/** How the secret commands reach the service. */
export interface TargetOptions {
  readonly endpoint?: string;
  readonly insecure?: boolean;
  readonly local?: boolean;
  readonly org?: string;
  readonly config?: readonly string[];
}

/** Where a secret lives. Empty parts stand for a broader scope. */
export interface ScopeOptions {
  readonly project?: string;
  readonly domain?: string;
}

/** What every command that prints objects can print. */
export const OUTPUT_FORMATS = ["table", "table-simple", "json", "json-raw"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** What those print that print secrets or scopes. */
export const LIST_FORMATS = ["table", "wide", "name", "csv", "yaml", "json", "json-raw", "table-simple"] as const;
export type ListFormat = (typeof LIST_FORMATS)[number];

/** What lists of secrets are sorted by. */
export const SORT_KEYS = ["name", "updated", "created"] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export interface OutputOptions<Format extends string = OutputFormat> {
  readonly outputFormat?: Format;
}

/**
 * `--endpoint`, `--insecure`, `--org` and `-c`, as Flyte's CLI has them, and `--local`. None is needed where only one
 * target is known.
 */
export function addTargetOptions(command: Command): Command {
  command
    .optionsGroup("Connection:")
    .option(
      "--endpoint <address>",
      "address of the service, with FLYTE_SECRETS_TOKEN as its token (default: that of Flyte's configuration, else " +
        "--local)",
    )
    .option("--local", "this machine's own store, whatever Flyte's configuration names")
    .option("--insecure", "plain HTTP to --endpoint instead of TLS")
    .option("--org <organization>", "organization");
  return addConfigOption(command, "Flyte's configuration file (default: the usual places)");
}

/**
 * `--local`, for commands that work on this machine's store alone, so that it may stand wherever create and get take
 * it.
 */
export function addLocalOption(command: Command): Command {
  return command.option("--local", "this machine's own store, which this command works on anyway");
}

/** `-c, --config`. Repeatable; a command that takes one file refuses more. */
export function addConfigOption(command: Command, description: string): Command {
  return command.option("-c, --config <file>", description, (file: string, before?: string[]) => [
    ...(before ?? []),
    file,
  ]);
}

/** `-p` and `-d`. Without either the scope is global. */
export function addScopeOptions(command: Command): Command {
  return command
    .optionsGroup("Scope:")
    .option("-p, --project <project>", "project of the secret; needs --domain")
    .option("-d, --domain <domain>", "domain of the secret (neither: global)");
}

/** `-o, --output-format`, with Flyte's `-of` as another spelling (see `normalize-argv.ts`). */
export function addOutputOption(command: Command, formats: readonly string[] = OUTPUT_FORMATS): Command {
  return command
    .optionsGroup("Output:")
    .addOption(new Option("-o, --output-format <format>", "how to print it; -of works too").choices([...formats]));
}

/** Everything that Flyte's CLI takes before the command's name. */
export function addGlobalOptions(command: Command): Command {
  addTargetOptions(command);
  addScopeOptions(command);
  return addOutputOption(command, LIST_FORMATS);
}

/** What every command on a secret takes. */
export interface SecretCommandOptions extends TargetOptions, ScopeOptions {
  readonly clusterPool?: string;
}

/** Adds what {@link SecretCommandOptions} reads. */
export function addSecretOptions(command: Command): Command {
  addScopeOptions(command).option(
    "--cluster-pool <pool>",
    "ask the clusters of this pool; excludes project and domain",
  );
  return addTargetOptions(command);
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
 * Throws `usage` or `invalid_argument` for a scope or name that no secret can have, or with which none can be created,
 * before the user is asked for a value.
 */
export function checkSecretOptions(options: SecretCommandOptions, name?: string, isNew = false): void {
  const { project = "", domain = "", clusterPool, config = [] } = options;
  rejectCombination({ "--cluster-pool": clusterPool, "--project": project || undefined });
  rejectCombination({ "--cluster-pool": clusterPool, "--domain": domain || undefined });
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

/** A scope as the options that name it: `-p shop -d production`; `(no options)` is global. */
export function scopeFlags({ project, domain }: ScopeOptions): string {
  return [...(project ? ["-p", project] : []), ...(domain ? ["-d", domain] : [])].join(" ");
}

/** Whether both are the same scope. */
export function isSameScope(one: ScopeOptions, other: ScopeOptions): boolean {
  return (one.project ?? "") === (other.project ?? "") && (one.domain ?? "") === (other.domain ?? "");
}
