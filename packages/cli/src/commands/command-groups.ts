import { Command } from "commander";
import { addGlobalOptions } from "../options/common-options.ts";

/** A word in front of others: `keys rotate`. */
export function group(name: string, description: string, ...members: readonly Command[]): Command {
  const command = new Command(name).description(description);
  for (const member of members) command.addCommand(member);
  return command;
}

/** A group of Flyte's own, such as `create`: its options may stand between the verb and the thing too; the thing's help lists them. */
export function verb(name: string, description: string, ...things: readonly Command[]): Command {
  const command = addGlobalOptions(group(name, description, ...things));
  for (const option of command.options) option.hideHelp();
  return command;
}
