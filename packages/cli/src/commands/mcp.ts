import { Command } from "commander";
import type { CliContext } from "../context.ts";
import type { McpOptions } from "../mcp/serve-mcp.ts";
import type { CarryOut } from "../mcp/tool-command.ts";
import { mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addTargetOptions, checkSecretOptions } from "../options/secret-options.ts";

/** `mcp`. `carryOut` is what runs a command line: tools are commands of this program. */
export function mcpCommand(cli: CliContext, carryOut: CarryOut): Command {
  const command = new Command("mcp")
    .summary("Serve tools to a coding agent, none of which shows a value")
    .description(
      "Serve the Model Context Protocol on standard input and output, for an agent that starts this command: tools " +
        "that list secrets, explain and check where a task's secrets would come from, and have a person enter a value " +
        "on a page of this machine. No tool takes or shows a value. Needs the package @modelcontextprotocol/sdk.",
    )
    .optionsGroup("Scope:")
    .option("-p, --project <project>", "project that tools work on where a call names none")
    .option("-d, --domain <domain>", "domain that tools work on where a call names none");
  return addTargetOptions(command)
    .addHelpText("after", formatExamples("mcp", "mcp -p shop -d development --local"))
    .action(async () => {
      const options = mergeOptions<McpOptions>(command);
      checkSecretOptions(options);
      const { serveMcp } = await import("../mcp/serve-mcp.ts");
      await serveMcp(options, { cli, carryOut });
    });
}
