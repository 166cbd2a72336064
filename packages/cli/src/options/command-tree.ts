import { Command } from "commander";
import { addGlobalOptions } from "./secret-options.ts";

/** The formatExamples below a command's help. A line is what follows `flyte-secrets`, or begins with `kubectl`. */
export function formatExamples(...lines: readonly string[]): string {
  const toLine = (line: string) => `  $ ${line.startsWith("kubectl ") ? "" : "flyte-secrets "}${line}\n`;
  return `\nExamples:\n${lines.map(toLine).join("")}`;
}

/** A word in front of others: `keys rotate`. */
export function commandGroup(name: string, description: string, ...members: readonly Command[]): Command {
  const command = new Command(name).description(description);
  for (const member of members) command.addCommand(member);
  return command;
}

/**
 * A group of Flyte's own, such as `create`: its options may stand between the verb and the thing too; the thing's help
 * lists them.
 */
export function verbGroup(name: string, description: string, ...things: readonly Command[]): Command {
  const command = addGlobalOptions(commandGroup(name, description, ...things));
  for (const option of command.options) option.hideHelp();
  return command;
}
