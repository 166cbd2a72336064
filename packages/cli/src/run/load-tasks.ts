import { existsSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { excerpt, nearestName, quote, SecretsError } from "@flyte-secrets/core";
import { type AnyTask, TASK_RUNTIME, type TaskRuntime } from "@flyte-secrets/sdk";

/** How many names a message lists. */
const MAX_NAMES = 12;
const TYPESCRIPT = [".ts", ".mts", ".cts", ".tsx"];

/**
 * Imports `file`, JavaScript or TypeScript, into this process and gives every task and workflow that it defined, itself
 * or through what it imports. Calls of them go to `invoke`; without it they run here. What they throw goes to
 * `onFailure` too. `env` is that of this process.
 */
export async function loadTasks(
  file: string,
  { env, ...hooks }: { readonly env: NodeJS.ProcessEnv } & Pick<TaskRuntime, "invoke" | "onFailure">,
): Promise<readonly AnyTask[]> {
  const tasks: AnyTask[] = [];
  const runtime: TaskRuntime = { ...hooks, local: true, onDefine: (task) => tasks.push(task) };
  Object.assign(globalThis, { [TASK_RUNTIME]: runtime });
  if (TYPESCRIPT.includes(extname(file))) {
    await compileTypeScript(file, env);
  }
  await import(pathToFileURL(file).href);
  return tasks;
}

/**
 * Has this process compile what it loads from here on: Node's own type stripping takes no decorators, enums or
 * parameter properties. Only where needed: it costs 50 ms. The tsconfig.json next to the file, or above it, counts,
 * with its `paths`, in modules of both kinds.
 */
async function compileTypeScript(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  const variable = "TSX_TSCONFIG_PATH";
  const given = env[variable];
  const tsconfig = given ?? findAbove(dirname(file), "tsconfig.json");
  const [esm, cjs] = await Promise.all([import("tsx/esm/api"), import("tsx/cjs/api")]);
  // The one for CommonJS takes it from there alone; the task doesn't see it.
  if (tsconfig !== undefined) env[variable] = tsconfig;
  cjs.register();
  if (given === undefined) delete env[variable];
  esm.register(tsconfig === undefined ? {} : { tsconfig });
}

function findAbove(directory: string, name: string): string | undefined {
  const path = join(directory, name);
  if (existsSync(path)) return path;
  const parent = dirname(directory);
  return parent === directory ? undefined : findAbove(parent, name);
}

/** The one task or workflow of that name. `not_found` lists the names there are, the most similar one first. */
export function findTask<Definition extends { readonly name: string }, T extends { readonly definition: Definition }>(
  tasks: readonly T[],
  name: string,
  file: string,
): T {
  const [found, second] = tasks.filter((task) => task.definition.name === name);
  if (second !== undefined) {
    throw new SecretsError(
      "invalid_argument",
      `${excerpt(basename(file))} defines ${quote(name)} twice; give one of them another name`,
    );
  }
  if (found !== undefined) return found;
  const names = tasks.map((task) => task.definition.name);
  throw new SecretsError("not_found", describeMissingTask(name, names, file));
}

/** Which tasks a file has instead of one that it hasn't. */
export function describeMissingTask(name: string, names: readonly string[], file: string): string {
  const where = excerpt(basename(file));
  if (names.length === 0) {
    return `${where} defines no task; it must make one with task() of @flyte-secrets/sdk when it is loaded`;
  }
  const nearest = nearestName(name, names);
  const sorted = nearest === undefined ? names : [nearest, ...names.filter((other) => other !== nearest)];
  const more = sorted.length > MAX_NAMES ? ` and ${sorted.length - MAX_NAMES} more` : "";
  return (
    `${where} has no task or workflow ${quote(name)}; it has ` +
    `${sorted.slice(0, MAX_NAMES).map(excerpt).join(", ")}${more}`
  );
}
