import { basename } from "node:path";
import { excerpt, SecretsError } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { readConfig } from "../options/setting-options.ts";
import { loadPythonFile } from "../python/load-python-file.ts";
import { combineRequests, findPythonTask, tasksOfRun, toDefinitions } from "../python/python-requests.ts";
import { taskRequired } from "../run/list-tasks.ts";
import { type ExecOptions, execCommand } from "./exec-command.ts";

// Not by the scripts beside the interpreter: they name it by a path that was right when they were installed. The
// current directory, which -c puts in front, is not where they look first.
const startOf = (module: string) => `import sys; del sys.path[0]; from ${module} import main; main()`;
const RUNNERS: Readonly<Record<string, { readonly program: string; readonly args: readonly string[] }>> = {
  flyte: { program: startOf("flyte.cli.main"), args: ["run", "--local"] },
  flytekit: { program: startOf("flytekit.clis.sdk_in_container.pyflyte"), args: ["run"] },
};

export interface PythonCall {
  readonly file: string;
  /** The absolute path of the file. */
  readonly path: string;
  /** Of the task or workflow. */
  readonly name: string | undefined;
  /** For the task, in the spelling of Flyte's own command. */
  readonly args: readonly string[];
}

/**
 * Runs a task or workflow by its SDK's local execution, in one process that has what all tasks of the run ask for, and
 * gives the exit code. Throws `usage` without a name, with those of the file, and as {@link execCommand} does.
 */
export async function runPythonTask(
  { file, path, name, args }: PythonCall,
  { options, cli }: { readonly options: ExecOptions; readonly cli: CliContext },
): Promise<number> {
  const config = await readConfig(options, cli);
  const from = await loadPythonFile(path, { config, cli, python: options.python });
  if (name === undefined) throw taskRequired("run", file, toDefinitions(from));
  const task = findPythonTask(from, name);
  const runner = RUNNERS[task.sdk];
  if (runner === undefined || task.kind === "app" || task.name === null) {
    throw new SecretsError(
      "usage",
      `${excerpt(name)} of ${excerpt(basename(file))} is no task that Flyte runs locally`,
    );
  }
  const command = [from.python, "-c", runner.program, ...runner.args, file, task.name, ...args];
  return await execCommand(command, {
    options,
    cli,
    task: { name: task.name, requests: combineRequests(tasksOfRun(from, task)) },
  });
}
