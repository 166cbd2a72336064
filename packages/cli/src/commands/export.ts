import { type SecretScope, type SecretStore, SecretsError } from "@flyte-secrets/core";
import { Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { DOTENV_READERS, type DotenvReader, type SecretEntry } from "../formats/secret-entry.ts";
import { mergeOptions, rejectCombination } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addLocalOption, addScopeOptions, checkSecretOptions, type ScopeOptions } from "../options/secret-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";
import { formatSecretCount } from "../render/counts.ts";

interface ExportOptions extends ScopeOptions, SettingOptions {
  readonly format?: string;
  readonly for?: DotenvReader;
  readonly toFile?: string;
  readonly withValues?: boolean;
  readonly allScopes?: boolean;
}

const PAGE_SIZE = 500;

/** `export`. */
export function exportCommand(cli: CliContext): Command {
  const command = new Command("export")
    .summary("Write the secrets of one scope to a file or pipe")
    .description(
      "Write the secrets of exactly one scope of this machine's store, or of all: their names, or with " +
        "--with-values everything. Values go to a new file (0600) or into a pipe, never to a terminal.",
    )
    .option("--with-values", "write the values too")
    .option("--to-file <file>", "new file to write (default: standard output)")
    .addOption(
      new Option("--format <format>", "default: as --to-file's name says, else json").choices([
        "env",
        "json",
        "kubernetes",
      ]),
    )
    .addOption(
      new Option(
        "--for <reader>",
        "write a .env file for shells, docker compose, or npm's dotenv and python-dotenv alone (default: for all of " +
          "them)",
      ).choices([...DOTENV_READERS]),
    );
  addScopeOptions(command);
  addLocalOption(command);
  command.option(
    "--all-scopes",
    "the secrets of all scopes, each with its own, as import reads them (json, kubernetes)",
  );
  return addSettingOptions(command)
    .addHelpText(
      "after",
      formatExamples(
        "export --with-values --to-file global.json",
        "export -p shop -d production --with-values --to-file prod.env",
        "export --with-values --format kubernetes | kubectl apply -f -",
        "export --all-scopes --with-values --to-file all.json",
        "export --with-values --for sh --to-file job.env",
        "export --format env > .env.example",
      ),
    )
    .action(async () => {
      const options = mergeOptions<ExportOptions>(command);
      checkSecretOptions({ project: options.project ?? "", domain: options.domain ?? "" });
      const { withValues = false, toFile, allScopes, project, domain } = options;
      rejectCombination({ "--all-scopes": allScopes, "--project": project });
      rejectCombination({ "--all-scopes": allScopes, "--domain": domain });
      if (withValues && toFile === undefined && cli.stdout.isTTY) {
        throw new SecretsError("usage", "values are not written to a terminal; use --to-file FILE or a pipe");
      }
      await exportSecrets(options, withValues, cli);
    });
}

async function exportSecrets(options: ExportOptions, withValues: boolean, cli: CliContext): Promise<void> {
  const { formatFor } = await import("../formats/secret-formats.ts");
  const { withOwnStore } = await import("../store/own-store.ts");
  const format = formatFor(options.format, options.toFile) ?? formatFor("json", undefined);
  const { for: reader, allScopes: scoped = false } = options;
  if (reader !== undefined && format?.name !== "env") {
    throw new SecretsError("usage", "--for is about .env files: use it with --format env, or --to-file FILE.env");
  }
  const config = await readConfig(options, cli);
  const scope = { org: config.secret.organization, domain: options.domain ?? "", project: options.project ?? "" };
  // Options that the format cannot express are refused before anything is read.
  format?.print([], { scoped });
  const entries = await withOwnStore(config, (store) => readEntries(store, { scope, scoped, withValues }));
  const text = format?.print(entries, { reader, scoped }) ?? "";
  if (options.toFile === undefined) {
    if (withValues) cli.stdout.raw.write(text);
    else cli.stdout.write(text);
  } else {
    const { writeNewFile } = await import("../values/write-new-file.ts");
    await writeNewFile(options.toFile, text, { option: "--to-file", cli });
    cli.stdout.write(`Wrote ${formatSecretCount(entries.length)} to ${options.toFile}.\n`);
  }
}

interface ReadOptions {
  readonly scope: SecretScope;
  /** All scopes below it too, each entry with its own. */
  readonly scoped: boolean;
  readonly withValues: boolean;
}

/** Every secret of exactly this scope, or of this one and all below. */
async function readEntries(store: SecretStore, { scope, scoped, withValues }: ReadOptions): Promise<SecretEntry[]> {
  const entries: SecretEntry[] = [];
  let token = "";
  do {
    const page = await store.list({ scope, limit: PAGE_SIZE, token, clusterTokens: {}, includeSystem: false });
    for (const { id, type } of page.entries) {
      const { name, ...own } = id;
      if (!scoped && (own.domain !== scope.domain || own.project !== scope.project)) continue;
      const value = withValues ? await store.read(id) : undefined;
      entries.push({ name, type, ...(scoped && { scope: own }), ...(value && { value }) });
    }
    token = page.token;
  } while (token !== "");
  return entries;
}
