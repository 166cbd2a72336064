import { Command } from "commander";
import type { CliContext } from "../context.ts";
import type { InitOptions } from "../init/init-project.ts";
import { mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addSettingOptions } from "../options/setting-options.ts";
import { addPythonOption } from "../python/python-option.ts";

/** `init [FILE...]`. */
export function initCommand(cli: CliContext): Command {
  const command = new Command("init")
    .summary("Write flyte-secrets.yaml, which says what a project needs")
    .description(
      "Write flyte-secrets.yaml into the current directory: which secrets the tasks of these files ask for, never " +
        "values. With it in the repository, exec gives a program the project's secrets without further options.",
    )
    .argument("[file...]", "Python, JavaScript or TypeScript files with tasks (none: a file without secrets)")
    .option("--force", "replace one that exists");
  addPythonOption(command);
  command
    .optionsGroup("Scope:")
    .option("-p, --project <project>", "project that the file names as the default")
    .option("-d, --domain <domain>", "domain that the file names as the default");
  return addSettingOptions(command)
    .addHelpText("after", formatExamples("init tasks.ts", "init hello.py -p shop -d development"))
    .action(async (files: readonly string[]) => {
      const options = mergeOptions<InitOptions>(command);
      const { initProject } = await import("../init/init-project.ts");
      await initProject(files, { options, cli });
    });
}
