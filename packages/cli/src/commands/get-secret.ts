import { SecretsError } from "@flyte-secrets/core";
import type { SecretsClient } from "@flyte-secrets/sdk/remote";
import { Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { mergeOptions, rejectCombination } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import {
  addOutputOption,
  addSecretOptions,
  checkSecretOptions,
  describeScope,
  LIST_FORMATS,
  type ListFormat,
  type OutputOptions,
  type SecretCommandOptions,
  SORT_KEYS,
  type SortKey,
} from "../options/secret-options.ts";
import type { ListSecretsOptions } from "../secrets/list-secrets.ts";
import { isPattern } from "../secrets/name-pattern.ts";

interface GetOptions extends SecretCommandOptions, OutputOptions<ListFormat> {
  readonly allScopes?: boolean;
  readonly filter?: string;
  readonly sort?: SortKey;
  readonly limit?: number;
}

/** `get secret [NAME]`. */
export function getSecretCommand(cli: CliContext): Command {
  const command = new Command("secret")
    .summary("List secrets, or show one")
    .description(
      "List the secrets of a scope and those within it (all, when none is given), or show one by its name. Never " +
        "shows a value.",
    )
    .argument("[name]", "the secret's name, or a pattern such as 'db-*' (default: list all)")
    .optionsGroup("Choice:")
    .option("--filter <pattern>", "names with this in them; * and ? as in a shell")
    .option("--all-scopes", "of all scopes, also with a name")
    .addOption(new Option("--sort <key>", "names from A to Z, times from the newest").choices([...SORT_KEYS]))
    .option("--limit <number>", "no more than these", parseLimit);
  addOutputOption(addSecretOptions(command), LIST_FORMATS);
  return command
    .addHelpText(
      "after",
      formatExamples(
        "get secret",
        "get secret 'db-*' --sort updated",
        "get secret --domain production -o wide",
        "get secret api-key",
        "get secret api-key --all-scopes",
        "get secret -o csv > secrets.csv",
      ),
    )
    .action(async (name: string | undefined) => {
      const options = mergeOptions<GetOptions>(command);
      const { allScopes, filter } = options;
      rejectCombination({ "--all-scopes": allScopes, "--project": options.project || undefined });
      rejectCombination({ "--all-scopes": allScopes, "--domain": options.domain || undefined });
      rejectCombination({ "--all-scopes": allScopes, "--cluster-pool": options.clusterPool });
      rejectCombination({ "a name": name, "--filter": filter });
      const isList = name === undefined || isPattern(name);
      checkSecretOptions(options, isList ? undefined : name);
      if (isList) return await list(options, { pattern: name ?? filter }, cli);
      if (allScopes) return await list(options, { name }, cli);
      rejectCombination({ "a name": name, "--sort": options.sort });
      rejectCombination({ "a name": name, "--limit": options.limit });
      await show(name, options, cli);
    });
}

function parseLimit(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new SecretsError("usage", "--limit takes a number of secrets, 1 or more");
}

async function list(
  options: GetOptions,
  choice: Pick<ListSecretsOptions, "name" | "pattern">,
  cli: CliContext,
): Promise<void> {
  const { openClient } = await import("../remote/open-client.ts");
  const { findReadTarget } = await import("../remote/target.ts");
  const { renderSecrets } = await import("../render/render-secrets.ts");
  const { listSecrets } = await import("../secrets/list-secrets.ts");
  const { clusterPool, sort, limit, outputFormat: format = "table" } = options;
  const target = await findReadTarget(options, cli);
  await using client = await openClient(target, { ...options, cli });
  const { secrets, hasMore } = await listSecrets(client, { clusterPool, sort, limit, ...choice });
  if (secrets.length === 0 && TABLES.has(format)) {
    const named = choice.name ?? choice.pattern;
    const where = options.allScopes || !(options.domain || clusterPool) ? "" : ` (${describeScope(options)})`;
    const near = named === undefined && where !== "" && !clusterPool ? await suggestNear(client, options) : "";
    cli.stderr.write(`no secrets${named === undefined ? "" : ` named ${named}`}${where}${near}\n`);
    return;
  }
  const isOwn = target.kind !== "endpoint";
  cli.stdout.writeStyled(await renderSecrets(secrets, { format, output: cli.stdout, isOwn, scope: client.connection }));
  if (hasMore) cli.stderr.write(`note: there are more than these ${secrets.length} (--limit)\n`);
}

async function suggestNear(client: SecretsClient, { project = "", domain = "" }: GetOptions): Promise<string> {
  const { surveySecrets } = await import("../secrets/list-secrets.ts");
  const { suggestScope } = await import("../secrets/new-scope.ts");
  return suggestScope({ project, domain }, await surveySecrets(client));
}

const TABLES: ReadonlySet<ListFormat> = new Set(["table", "wide", "table-simple"]);

async function show(name: string, options: GetOptions, cli: CliContext): Promise<void> {
  const { Secret } = await import("@flyte-secrets/sdk/remote");
  const { openClient } = await import("../remote/open-client.ts");
  const { findReadTarget } = await import("../remote/target.ts");
  const { renderSecret } = await import("../render/render-secrets.ts");
  const { withExpectation } = await import("../secrets/expect-secret.ts");
  const target = await findReadTarget(options, cli);
  await using client = await openClient(target, { ...options, cli });
  const secret = await withExpectation({ name, options, client, exists: true }, () =>
    Secret.get(name, { client, clusterPool: options.clusterPool }),
  );
  const rendering = {
    format: options.outputFormat ?? "table",
    output: cli.stdout,
    isOwn: target.kind !== "endpoint",
    scope: client.connection,
  };
  cli.stdout.writeStyled(await renderSecret(secret, rendering));
}
