import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addSettingOptions } from "../options/setting-options.ts";
import { addTaskScopeOptions } from "../options/task-scope-options.ts";
import type { RunOptions } from "../run/run-task.ts";

/** `run FILE TASK`. */
export function runCommand(cli: CliContext): Command {
  const command = new Command("run")
    .summary("Run a task on this machine with its secrets")
    .description(
      "Run a task or workflow of a JavaScript or TypeScript file on this machine. Every task runs in a process of " +
        "its own, with the secrets that it asks for and no others, as in a cluster; values are masked in its " +
        "output. The result is the last line on standard output, as JSON.",
    )
    .argument("<file>", "file that defines the task")
    .argument("[task]", "name of the task or workflow (none: list those of the file)")
    .option("-i, --input <key=value>", "one field of the input, as JSON or text; may be repeated", collect)
    .option("-v, --verbose", "say what each task is given and from which scope; never a value")
    .option("--no-mask", "show values in the output");
  addTaskScopeOptions(command);
  return addSettingOptions(command)
    .addHelpText(
      "after",
      formatExamples("run tasks.ts train", "run tasks.ts train -p shop -d production -i epochs=3 -i name=first"),
    )
    .action(async (file: string, task: string | undefined) => {
      const { runTask } = await import("../run/run-task.ts");
      const result = await runTask(file, task, { options: mergeOptions<RunOptions>(command), cli });
      if (result !== undefined) cli.stdout.write(`${result}\n`);
    });
}

const collect = (field: string, before: readonly string[] = []): readonly string[] => [...before, field];
