import { excerpt, SecretsError } from "@flyte-secrets/core";
import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { ExitError } from "../describe-failure.ts";
import type { PythonCall } from "../exec/run-python-task.ts";
import { collectValues, mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addSettingOptions } from "../options/setting-options.ts";
import { isPythonFile, taskFilePath } from "../options/task-file.ts";
import { addTaskScopeOptions } from "../options/task-scope-options.ts";
import { addPythonOption, type PythonOptions } from "../python/python-option.ts";
import type { RunOptions } from "../run/run-task.ts";

/** `run FILE TASK`. */
export function runCommand(cli: CliContext): Command {
  const command = new Command("run")
    .summary("Run a task on this machine with its secrets")
    .description(
      "Run a task or workflow of a Python, JavaScript or TypeScript file on this machine, with the secrets that it " +
        "asks for and no others, as in a cluster; values are masked in its output. Python is run by Flyte's own " +
        "local execution, in one process with what all tasks of the run ask for: what follows the task's name is for it. " +
        "Every task of JavaScript or TypeScript runs in a process of its own, and the result is the last line on " +
        "standard output, as JSON.",
    )
    .argument("<file>", "file that defines the task")
    .argument("[task]", "name of the task or workflow (none: list those of the file)")
    .argument("[arguments...]", "inputs of a Python task, as Flyte's own command takes them: --x 1")
    .option(
      "-i, --input <key=value>",
      "one field of a TypeScript task's input, as JSON or text; may be repeated",
      collectValues,
    )
    .option("-v, --verbose", "say what each task is given and from which scope; never a value")
    .option("--no-mask", "show values in the output")
    .option("--no-mount", "leave files in their private directory, instead of mounting it at /etc/flyte/secrets");
  addPythonOption(command);
  addTaskScopeOptions(command);
  return addSettingOptions(command)
    .addHelpText(
      "after",
      formatExamples(
        "run -p shop -d production hello.py main --x 1",
        "run tasks.ts train",
        "run tasks.ts train -p shop -d production -i epochs=3 -i name=first",
      ),
    )
    .action(async (file: string, task: string | undefined, args: readonly string[]) => {
      const options = mergeOptions<RunOptions & PythonOptions>(command);
      if (isPythonFile(file)) return await runPython({ file, name: task, args }, options, cli);
      if (args[0] !== undefined) {
        throw new SecretsError("usage", `unexpected argument ${excerpt(args[0])}; give inputs with -i`);
      }
      const { runTask } = await import("../run/run-task.ts");
      const result = await runTask(file, task, { options, cli });
      if (result !== undefined) cli.stdout.write(`${result}\n`);
    });
}

async function runPython(
  { file, ...call }: Pick<PythonCall, "file" | "name" | "args">,
  options: RunOptions & PythonOptions,
  cli: CliContext,
): Promise<void> {
  if (options.input !== undefined) {
    throw new SecretsError("usage", "--input is for TypeScript; a Python task takes its inputs after its name: --x 1");
  }
  const { runPythonTask } = await import("../exec/run-python-task.ts");
  const exit = await runPythonTask({ file, path: taskFilePath(file, cli.cwd), ...call }, { options, cli });
  if (exit !== 0) throw new ExitError(exit);
}
