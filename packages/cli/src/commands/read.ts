import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addLocalValuesOptions, type LocalValuesOptions } from "../values/local-values-options.ts";

interface ReadOptions extends LocalValuesOptions {
  readonly toFile?: string;
}

/** `read KEY`. */
export function readCommand(cli: CliContext): Command {
  const command = new Command("read")
    .summary("Write the value of a secret into a pipe or file")
    .description(
      "Write the value of a secret into a pipe or a file: its bytes as they are, without a line feed behind them. It " +
        "is what a task on this machine gets in a file, from this machine's own store or the secret manager that the " +
        "configuration names. A terminal shows it with --reveal alone.",
    )
    .argument("<key>", "KEY or GROUP/KEY of the secret")
    .option("-o, --to-file <file>", "file to write (0600), or to replace (default: - for standard output)");
  return addLocalValuesOptions(command)
    .addHelpText(
      "after",
      formatExamples(
        "read ghcr-token -p shop -d production | docker login ghcr.io -u octocat --password-stdin",
        "read tls-key -o key.pem",
      ),
    )
    .action(async (key: string) => {
      const options = mergeOptions<ReadOptions>(command);
      const { checkOutput, STANDARD_OUTPUT, writeOutput } = await import("../values/output-file.ts");
      const output = checkOutput(options.toFile ?? STANDARD_OUTPUT, { reveal: options.reveal, cli });
      const { readLocalValues } = await import("../values/local-values.ts");
      const values = await readLocalValues([key], { options, cli });
      for (const value of values.values()) await writeOutput(output, value.revealBytes(), cli);
    });
}
