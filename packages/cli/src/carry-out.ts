import type { Command } from "commander";
import type { CliContext } from "./context.ts";
import { describeFailure } from "./describe-failure.ts";
import { expandAliases, normalizeArgv } from "./options/normalize-argv.ts";

/** Runs a command line of `program` and gives its exit code; what is wrong goes to standard error. Never throws. */
export async function carryOut(program: Command, argv: readonly string[], cli: CliContext): Promise<number> {
  try {
    await program.parseAsync(normalizeArgv(expandAliases(argv), program), { from: "user" });
    return 0;
  } catch (error) {
    const { line, details = [], exit } = describeFailure(error, argv);
    if (line !== undefined) cli.stderr.write(`${[`error: ${line}`, ...details].join("\n")}\n`);
    return exit;
  }
}
