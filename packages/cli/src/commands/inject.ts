import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { collectValues, mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import type { InjectOptions } from "../template/inject-files.ts";
import { addLocalValuesOptions } from "../values/local-values-options.ts";

/** `inject`. */
export function injectCommand(cli: CliContext): Command {
  const command = new Command("inject")
    .summary("Write files from templates, with values in them")
    .description(
      'Replace each {{ secret "KEY" }} of a template by the value that "read KEY" gives. {{ secret "KEY" | json }} ' +
        'is a JSON string with its quotes, | base64 is base64, and {{ "{{" }} stands for the braces themselves. All ' +
        "other bytes stay as they are. Nothing is written when a secret is missing or a placeholder is wrong.",
    )
    .option("-i, --from-file <file>", "template (default: - for standard input); may be repeated", collectValues)
    .option(
      "-o, --to-file <file>",
      "file to write (0600), or to replace, one for each -i (default: - for standard output)",
      collectValues,
    );
  return addLocalValuesOptions(command)
    .addHelpText(
      "after",
      formatExamples(
        "inject -i app.env.tpl -o app.env -p shop -d production",
        "inject -i a.tpl -o a.yaml -i b.tpl -o b.yaml",
        "inject < secret.yaml.tpl | kubectl apply -f -",
      ),
    )
    .action(async () => {
      const options = mergeOptions<InjectOptions>(command);
      const { injectFiles } = await import("../template/inject-files.ts");
      await injectFiles(options, cli);
    });
}
