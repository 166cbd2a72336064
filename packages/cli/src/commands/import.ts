import { SecretsError } from "@flyte-secrets/core";
import { Command, Option } from "commander";
import type { Host } from "../host.ts";
import type { ScopedEntries } from "../import/import-entries.ts";
import { examples } from "../options/examples.ts";
import { mergedOptions } from "../options/merged-options.ts";
import {
  addSecretOptions,
  checkSecretOptions,
  describeScope,
  type SecretCommandOptions,
} from "../options/secret-command-options.ts";

interface ImportOptions extends SecretCommandOptions {
  readonly format?: string;
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
  readonly maxBytes?: number;
}

/** `import FILE`. */
export function importCommand(host: Host): Command {
  const command = new Command("import")
    .summary("Create the secrets of a file")
    .description(
      "Create each entry of a .env file, a JSON object or Kubernetes Secrets as a secret of one scope; Secrets in Flyte's form say " +
        "themselves where they belong. Names and values are checked, and secrets that are there already looked for, before the first " +
        "is written.",
    )
    .argument("<file>", "file to read; - is standard input")
    .addOption(
      new Option("--format <format>", "default: as the file's name says").choices(["env", "json", "kubernetes"]),
    )
    .option("--max-bytes <number>", "largest file to read (default: 16777216, 16 MiB)", parseBytes)
    .option("--overwrite", "give secrets that are there the file's value")
    .option("--dry-run", "say what would be done, and do nothing");
  return addSecretOptions(command)
    .addHelpText(
      "after",
      examples(
        "import .env --project shop --domain development",
        "import secrets.json --dry-run",
        "import --format kubernetes - < secret.yaml",
        "import prod.env -d production --overwrite",
        "import --format kubernetes - < managed-secrets.yaml",
      ),
    )
    .action((file: string) => importFile(file, mergedOptions<ImportOptions>(command), host));
}

function parseBytes(text: string): number {
  if (/^[1-9]\d{0,11}$/.test(text)) return Number(text);
  throw new SecretsError("usage", "--max-bytes takes a number of bytes, such as 67108864");
}

async function importFile(file: string, options: ImportOptions, host: Host): Promise<void> {
  checkSecretOptions(options);
  const { readEntries } = await import("../import/read-entries.ts");
  const { importEntries } = await import("../import/import-entries.ts");
  const { openClient } = await import("../remote/open-client.ts");
  const { describeElsewhere, findWriteTarget } = await import("../remote/target.ts");
  const { dryRun = false, overwrite = false } = options;
  const target = await findWriteTarget(options, host);
  const entries = await readEntries(file, options, host);
  await using clients = new AsyncDisposableStack();
  const groups: ScopedEntries[] = [];
  for (const [scope, own] of Map.groupBy(entries, (entry) => describeScope(entry.scope ?? options))) {
    const { project = "", domain = "" } = own[0]?.scope ?? options;
    const client = clients.use(await openClient(target, { project, domain, host, mayMake: !dryRun }));
    groups.push({ scope, entries: own, client });
  }
  const words = dryRun
    ? { create: "Would create", update: "Would update", end: ", nothing written" }
    : { create: "Created", update: "Updated", end: "" };
  for await (const { name, how } of importEntries(groups, { dryRun, overwrite, clusterPool: options.clusterPool })) {
    host.stdout.write(`${words[how]} secret ${name}\n`);
  }
  const scopes = groups.length > 1 ? `${groups.length} scopes` : (groups[0]?.scope ?? describeScope(options));
  host.stdout.write(`${entries.length} secrets (${scopes})${describeElsewhere(target, host)}${words.end}\n`);
}
