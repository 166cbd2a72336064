import type { Config } from "@flyte-secrets/config";
import type { CliContext } from "../context.ts";
import { isPythonFile, taskFilePath } from "../options/task-file.ts";
import type { PythonTask } from "../python/read-python-tasks.ts";

/** A task or workflow of a file, and what its own pod asks for. */
export type DeclaredTask = Pick<PythonTask, "name" | "fullName" | "kind" | "requests">;

export interface ReadTasksOptions {
  readonly config: Config;
  readonly cli: CliContext;
  /** `--python`. */
  readonly python?: string | undefined;
}

/**
 * The tasks that a Python, JavaScript or TypeScript file defines, in its order, without running any. Throws as `run`
 * does for a file that can't be loaded.
 */
export async function readTasks(
  file: string,
  { config, cli, python }: ReadTasksOptions,
): Promise<readonly DeclaredTask[]> {
  const path = taskFilePath(file, cli.cwd);
  if (isPythonFile(path)) {
    const { loadPythonFile } = await import("../python/load-python-file.ts");
    return (await loadPythonFile(path, { config, cli, python })).tasks;
  }
  const { loadTaskDefinitions } = await import("../run/list-tasks.ts");
  const definitions = await loadTaskDefinitions(path, { config, cli });
  return definitions.map((definition) => ({ ...definition, fullName: definition.name }));
}
