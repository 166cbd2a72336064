import type { Command } from "commander";
import { carryOut } from "./carry-out.ts";
import type { CliContext } from "./context.ts";
import { describeFailure } from "./describe-failure.ts";
import { commandPath } from "./options/check-options.ts";
import { allCommands, normalizeArgv } from "./options/normalize-argv.ts";
import { createProgram } from "./program.ts";

/** Runs one command line (without `node` and the program's name) and gives its exit code. Never throws. */
export async function runCommandLine(argv: readonly string[], cli: CliContext): Promise<number> {
  return await carryOut(createProgram(cli), argv, cli);
}

/**
 * Reads a command line (without `node` and the program's name) as {@link runCommandLine} does and carries nothing out.
 * Undefined when command, arguments and options are known, else what is wrong: for what documentation prints.
 */
export async function checkCommandLine(argv: readonly string[], cli: CliContext): Promise<string | undefined> {
  const program = createProgram(cli);
  for (const command of allCommands(program)) if (command.commands.length === 0) command.action(() => {});
  try {
    await program.parseAsync(normalizeArgv(argv, program), { from: "user" });
    return undefined;
  } catch (error) {
    return describeFailure(error).line;
  }
}

/** The help text of one command. */
export interface CommandPage {
  /** As it is called: `flyte-secrets create secret`. */
  readonly name: string;
  readonly help: string;
}

/** The help of the program and of every command that does something, in the order of the program's own help. */
export function commandPages(cli: CliContext): CommandPage[] {
  const program = createProgram(cli);
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
