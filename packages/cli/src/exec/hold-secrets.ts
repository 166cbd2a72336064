import { once } from "node:events";
import type { CliContext } from "../context.ts";
import type { ChildEnvironment } from "../run/run-child.ts";

/**
 * Writes variables to standard output, each as `NAME=VALUE` with a NUL behind it and another NUL at the end, for a
 * program that gives them to itself. Gives the exit code when standard input ends, or on a signal.
 */
export async function holdSecrets(variables: ChildEnvironment, cli: CliContext): Promise<number> {
  const interrupted = cli.interruption();
  const entries = Object.entries(variables).map(([name, value]) => `${name}=${value}\0`);
  cli.stdout.raw.write(`${entries.join("")}\0`);
  cli.stdin.resume();
  await Promise.race([once(cli.stdin, "end"), once(interrupted, "abort")]);
  cli.stdin.destroy();
  return 0;
}
