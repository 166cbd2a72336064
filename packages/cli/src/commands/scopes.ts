import { Command } from "commander";
import type { Host } from "../context.ts";
import { mergedOptions } from "../options/check-options.ts";
import { examples } from "../options/command-tree.ts";
import {
  addConnectionOptions,
  addOutputOption,
  type ConnectionOptions,
  LIST_FORMATS,
  type ListFormat,
  type OutputOptions,
} from "../options/secret-options.ts";
import { type Field, shortTime } from "../render/render-list.ts";
import type { CountedScope } from "../secrets/list-secrets.ts";

interface ScopesOptions extends ConnectionOptions, OutputOptions<ListFormat> {}

/** `scopes`. */
export function scopesCommand(host: Host): Command {
  const command = new Command("scopes")
    .summary("List the projects and domains that have secrets")
    .description(
      "List the scopes that have secrets, with how many each has: global (no project, no domain), domains, and projects in a domain.",
    );
  addOutputOption(addConnectionOptions(command), LIST_FORMATS);
  return command.addHelpText("after", examples("scopes", "scopes -o csv")).action(async () => {
    const options = mergedOptions<ScopesOptions>(command);
    const { openClient } = await import("../remote/open-client.ts");
    const { findReadTarget } = await import("../remote/target.ts");
    const { renderList } = await import("../render/render-list.ts");
    const { countScopes } = await import("../secrets/list-secrets.ts");
    await using client = await openClient(await findReadTarget(options, host), { host });
    const scopes = await countScopes(client);
    const { outputFormat: format = "table" } = options;
    if (scopes.length === 0 && TABLES.has(format)) {
      host.stderr.write("no secrets yet; flyte-secrets create secret NAME makes one\n");
      return;
    }
    host.stdout.writeStyled(await renderList(scopes, format, { fields: FIELDS, output: host.stdout }));
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
