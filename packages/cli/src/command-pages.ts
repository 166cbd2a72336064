import type { Command } from "commander";
import type { Host } from "./host.ts";
import { commandPath } from "./options/merged-options.ts";
import { createProgram } from "./program.ts";

/** The help text of one command. */
export interface CommandPage {
  /** As it is called: `flyte-secrets create secret`. */
  readonly name: string;
  readonly help: string;
}

/** The help of the program and of every command that does something, in the order of the program's own help. */
export function commandPages(host: Host): CommandPage[] {
  const program = createProgram(host);
  return [toPage(program, program.name()), ...pagesBelow(program, program.name())];
}

function pagesBelow(command: Command, program: string): CommandPage[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .flatMap((below) =>
      below.commands.length > 0 ? pagesBelow(below, program) : [toPage(below, `${program} ${commandPath(below)}`)],
    );
}

function toPage(command: Command, name: string): CommandPage {
  let help = "";
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  return { name, help };
}
