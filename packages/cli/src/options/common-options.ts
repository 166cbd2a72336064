import { type Command, Option } from "commander";

/** How the secret commands reach the service. */
export interface ConnectionOptions {
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

export interface OutputOptions<Format extends string = OutputFormat> {
  readonly outputFormat?: Format;
}

/**
 * `--endpoint`, `--insecure`, `--org` and `-c`, as Flyte's CLI has them, and `--local`. None is needed where only one target
 * is known.
 */
export function addConnectionOptions(command: Command): Command {
  command
    .optionsGroup("Connection:")
    .option(
      "--endpoint <address>",
      "address of the service, with FLYTE_SECRETS_TOKEN as its token (default: that of Flyte's configuration, else --local)",
    )
    .option("--local", "this machine's own store, whatever Flyte's configuration names")
    .option("--insecure", "plain HTTP to --endpoint instead of TLS")
    .option("--org <organization>", "organization");
  return addConfigOption(command, "Flyte's configuration file (default: the usual places)");
}

/** `-c, --config`. Repeatable: where only one makes sense, the command says so. */
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

/** `-o, --output-format`, with Flyte's `-of` as another spelling (see `spelled-out`). */
export function addOutputOption(command: Command, formats: readonly string[] = OUTPUT_FORMATS): Command {
  return command
    .optionsGroup("Output:")
    .addOption(new Option("-o, --output-format <format>", "how to print it; -of works too").choices([...formats]));
}

/** Everything that Flyte's CLI takes before the command's name. */
export function addGlobalOptions(command: Command): Command {
  addConnectionOptions(command);
  addScopeOptions(command);
  return addOutputOption(command, LIST_FORMATS);
}
