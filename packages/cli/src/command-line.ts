import { describeFailure } from "./describe-failure.ts";
import type { Host } from "./host.ts";
import { usualWords } from "./options/known-words.ts";
import { spelledOut } from "./options/spelled-out.ts";
import { createProgram } from "./program.ts";

/** Runs one command line (without `node` and the program's name) and gives its exit code. Never throws. */
export async function runCommandLine(argv: readonly string[], host: Host): Promise<number> {
  try {
    const program = createProgram(host);
    await program.parseAsync(spelledOut(usualWords(argv), program), { from: "user" });
    return 0;
  } catch (error) {
    const { line, details = [], exit } = describeFailure(error, argv);
    if (line !== undefined) host.stderr.write(`${[`error: ${line}`, ...details].join("\n")}\n`);
    return exit;
  }
}
