import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import {
  addOutputOption,
  addTargetOptions,
  LIST_FORMATS,
  type ListFormat,
  type OutputOptions,
  type TargetOptions,
} from "../options/secret-options.ts";
import { type Field, shortTime } from "../render/render-list.ts";
import type { CountedScope } from "../secrets/list-secrets.ts";

interface ScopesOptions extends TargetOptions, OutputOptions<ListFormat> {}

/** `scopes`. */
export function scopesCommand(cli: CliContext): Command {
  const command = new Command("scopes")
    .summary("List the projects and domains that have secrets")
    .description(
      "List the scopes that have secrets, with how many each has: global (no project, no domain), domains, and " +
        "projects in a domain.",
    );
  addOutputOption(addTargetOptions(command), LIST_FORMATS);
  return command.addHelpText("after", formatExamples("scopes", "scopes -o csv")).action(async () => {
    const options = mergeOptions<ScopesOptions>(command);
    const { openClient } = await import("../remote/open-client.ts");
    const { findReadTarget } = await import("../remote/target.ts");
    const { renderList } = await import("../render/render-list.ts");
    const { countScopes } = await import("../secrets/list-secrets.ts");
    await using client = await openClient(await findReadTarget(options, cli), { cli });
    const scopes = await countScopes(client);
    const { outputFormat: format = "table" } = options;
    if (scopes.length === 0 && TABLES.has(format)) {
      cli.stderr.write("no secrets yet; flyte-secrets create secret NAME makes one\n");
      return;
    }
    cli.stdout.writeStyled(await renderList(scopes, format, { fields: FIELDS, output: cli.stdout }));
  });
}

const TABLES: ReadonlySet<ListFormat> = new Set(["table", "wide", "table-simple"]);

const FIELDS: readonly Field<CountedScope>[] = [
  { head: "scope", of: nameOf, in: ["name"] },
  { head: "project", of: ({ project }) => project, column: { overflow: "cut", style: "cyan" } },
  { head: "domain", of: ({ domain }) => domain || "(global)", in: ["table", "wide"], column: { overflow: "cut" } },
  { head: "domain", of: ({ domain }) => domain, in: ["csv"] },
  { head: "secrets", of: ({ secrets }) => String(secrets) },
  { head: "updated", of: ({ updated }) => shortTime(updated), in: ["table", "wide"] },
  { head: "updated", of: ({ updated }) => updated?.toISOString() ?? "", in: ["csv"] },
];

/** `DOMAIN/PROJECT`, `DOMAIN` or `global`. */
function nameOf({ project, domain }: CountedScope): string {
  return [domain, project].filter((part) => part !== "").join("/") || "global";
}
