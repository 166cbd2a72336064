import { SecretsError } from "@flyte-secrets/core";
import { Command, Option } from "commander";
import type { ScopedEntries } from "../bulk/import-entries.ts";
import type { CliContext } from "../context.ts";
import { mergeOptions, rejectCombination, requireFor } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import {
  addForceOption,
  addSecretOptions,
  type ChangeOptions,
  checkSecretOptions,
  describeScope,
  type SecretCommandOptions,
} from "../options/secret-options.ts";

interface ImportOptions extends SecretCommandOptions, ChangeOptions {
  readonly format?: string;
  readonly overwrite?: boolean;
  readonly skipExisting?: boolean;
  readonly dryRun?: boolean;
  readonly maxBytes?: number;
}

/** `import FILE`. */
export function importCommand(cli: CliContext): Command {
  const command = new Command("import")
    .summary("Create the secrets of a file")
    .description(
      "Create each entry of a .env file, a JSON object or Kubernetes Secrets as a secret of one scope; Secrets in " +
        "Flyte's form say themselves where they belong. Names and values are checked, and secrets that are there " +
        "already looked for, before the first is written.",
    )
    .argument("<file>", "file to read; - is standard input")
    .addOption(
      new Option("--format <format>", "default: as the file's name says").choices(["env", "json", "kubernetes"]),
    )
    .option("--max-bytes <number>", "largest file to read (default: 16777216, 16 MiB)", parseBytes)
    .option("--overwrite", "give secrets that are there the file's value")
    .option("--skip-existing", "leave secrets that are there as they are; goes on with an import that was interrupted")
    .option("--dry-run", "say what would be done, and do nothing");
  return addSecretOptions(addForceOption(command))
    .addHelpText(
      "after",
      formatExamples(
        "import .env --project shop --domain development",
        "import secrets.json --dry-run",
        "import --format kubernetes - < secret.yaml",
        "import prod.env -d production --overwrite",
        "import many.json --skip-existing",
        "import --format kubernetes - < managed-secrets.yaml",
      ),
    )
    .action((file: string) => importFile(file, mergeOptions<ImportOptions>(command), cli));
}

function parseBytes(text: string): number {
  if (/^[1-9]\d{0,11}$/.test(text)) return Number(text);
  throw new SecretsError("usage", "--max-bytes takes a number of bytes, such as 67108864");
}

async function importFile(file: string, options: ImportOptions, cli: CliContext): Promise<void> {
  const { dryRun = false, overwrite = false, skipExisting = false } = options;
  rejectCombination({ "--overwrite": overwrite, "--skip-existing": skipExisting });
  if (!overwrite) requireFor("--overwrite", { "--force": options.force });
  checkSecretOptions(options);
  const { createProgress } = await import("../bulk/progress.ts");
  const { readEntries, importEntries } = await import("../bulk/import-entries.ts");
  const { openClients } = await import("../remote/open-client.ts");
  const { describeElsewhere, findWriteTarget, isStoreMissing } = await import("../remote/target.ts");
  const { renderImport } = await import("../bulk/report.ts");
  const { noteNewScope } = await import("../secrets/new-scope.ts");
  const entries = await readEntries(file, options, cli);
  const target = await findWriteTarget(options, cli);
  const signal = cli.interruption();
  await using clients = openClients(target, { cli, mayCreateStore: !dryRun });
  const isThere = !(dryRun && isStoreMissing(target));
  const groups: ScopedEntries[] = [];
  for (const [scope, own] of Map.groupBy(entries, (entry) => describeScope(entry.scope ?? options))) {
    const fileScope = own[0]?.scope;
    const client = isThere ? await clients.at(fileScope ?? options) : undefined;
    // A scope that the file names was no typing error.
    if (client !== undefined && fileScope === undefined) await noteNewScope(client, options, cli);
    groups.push({ scope, entries: own, client });
  }
  using progress = createProgress(dryRun ? "Checking" : "Importing", entries.length, cli);
  progress.show(0);
  const imported = await importEntries(groups, {
    existing: overwrite ? "overwrite" : skipExisting ? "skip" : "refuse",
    dryRun,
    clusterPool: options.clusterPool,
    force: options.force,
    signal,
    onProgress: (done) => progress.show(done),
  });
  progress[Symbol.dispose]();
  const scopes = groups.length > 1 ? `${groups.length} scopes` : (groups[0]?.scope ?? describeScope(options));
  cli.stdout.write(renderImport(imported, { where: `(${scopes})${describeElsewhere(target, cli)}`, dryRun }));
}
