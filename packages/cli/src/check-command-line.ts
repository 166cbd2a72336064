import { describeFailure } from "./describe-failure.ts";
import type { Host } from "./host.ts";
import { allCommands, spelledOut } from "./options/spelled-out.ts";
import { createProgram } from "./program.ts";

/**
 * Reads a command line (without `node` and the program's name) as {@link runCommandLine} does and carries nothing out.
 * Undefined when command, arguments and options are known, else what is wrong: for what documentation prints.
 */
export async function checkCommandLine(argv: readonly string[], host: Host): Promise<string | undefined> {
  const program = createProgram(host);
  for (const command of allCommands(program)) if (command.commands.length === 0) command.action(() => {});
  try {
    await program.parseAsync(spelledOut(argv, program), { from: "user" });
    return undefined;
  } catch (error) {
    return describeFailure(error).line;
  }
}
