import { basename, extname } from "node:path";
import { pathToFileURL } from "node:url";
import { nearestName, SecretsError } from "@flyte-secrets/core";
import { type AnyTask, TASK_RUNTIME, type TaskRuntime } from "@flyte-secrets/sdk";

const TYPESCRIPT = [".ts", ".mts", ".cts", ".tsx"];

/**
 * Imports `file`, JavaScript or TypeScript, into this process and gives every task and workflow that it defined, itself or
 * through what it imports. Calls of them go to `invoke`; without it they run here.
 */
export async function loadTasks(file: string, invoke?: TaskRuntime["invoke"]): Promise<readonly AnyTask[]> {
  const tasks: AnyTask[] = [];
  const runtime: TaskRuntime = { local: true, invoke, onDefine: (task) => tasks.push(task) };
  Object.assign(globalThis, { [TASK_RUNTIME]: runtime });
  if (TYPESCRIPT.includes(extname(file))) {
    // Node's own type stripping takes no decorators, enums or parameter properties. Only where needed: it costs 50 ms.
    const { register } = await import("tsx/esm/api");
    register();
  }
  await import(pathToFileURL(file).href);
  return tasks;
}

/** The one task or workflow of that name. `not_found` lists the names there are, the most similar one first. */
export function findTask(tasks: readonly AnyTask[], name: string, file: string): AnyTask {
  const [found, second] = tasks.filter((task) => task.definition.name === name);
  const where = basename(file);
  if (second !== undefined) {
    throw new SecretsError("invalid_argument", `${where} defines "${name}" twice; give one of them another name`);
  }
  if (found !== undefined) return found;
  const names = tasks.map((task) => task.definition.name);
  const nearest = nearestName(name, names);
  const sorted = nearest === undefined ? names : [nearest, ...names.filter((other) => other !== nearest)];
  throw new SecretsError(
    "not_found",
    names.length === 0
      ? `${where} defines no task; it must make one with task() of @flyte-secrets/sdk when it is loaded`
      : `${where} has no task or workflow "${name}"; it has ${sorted.join(", ")}`,
  );
}
