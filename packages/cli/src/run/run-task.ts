import { excerpt, SecretsError } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { readConfig, type SettingOptions } from "../options/setting-options.ts";
import { taskFilePath } from "../options/task-file.ts";
import { resolveTaskScope, type TaskScopeOptions } from "../options/task-scope-options.ts";
import { createLocalLookup } from "../store/local-lookup.ts";
import { toInjectionSettings } from "./injection-settings.ts";
import { loadTaskDefinitions, taskRequired } from "./list-tasks.ts";
import { runLocal } from "./run-local.ts";

/** What the command line of `run` gives. */
export interface RunOptions extends SettingOptions, TaskScopeOptions {
  readonly input?: readonly string[];
  readonly mask: boolean;
  readonly mount: boolean;
  readonly verbose?: boolean;
}

interface RunCall {
  readonly options: RunOptions;
  readonly cli: CliContext;
}

/**
 * Runs the task or workflow of that name with the options of a command line, and gives its result as JSON; see
 * {@link runLocal}. `usage` without a name, with those of the file.
 */
export async function runTask(
  file: string,
  name: string | undefined,
  { options, cli }: RunCall,
): Promise<string | undefined> {
  const signal = cli.interruption();
  const path = taskFilePath(file, cli.cwd);
  const config = await readConfig(options, cli);
  if (name === undefined)
    throw taskRequired(
      "run",
      file,
      await loadTaskDefinitions(path, { config, cli, verbose: options.verbose ?? false }),
    );
  const scope = await resolveTaskScope(options, config, cli);
  await using lookup = createLocalLookup(config, cli);
  const verbose = options.verbose ?? false;
  return await runLocal({
    file: path,
    name,
    input: toInput(options.input),
    mask: options.mask,
    mount: options.mount,
    verbose,
    env: cli.env,
    cwd: cli.cwd,
    stdout: cli.stdout.raw,
    stderr: cli.stderr.raw,
    colors: { stdout: cli.stdout.hasColors, stderr: cli.stderr.hasColors },
    signal,
    injection: toInjectionSettings(config, { scope, lookup, verbose, cli }),
  });
}

/**
 * The task's one object. A value that is JSON counts as that, any other as text: `n=3`, `names=["a"]`, `name=first`.
 */
function toInput(fields: readonly string[] | undefined): object | undefined {
  if (fields === undefined) return undefined;
  return Object.fromEntries(
    fields.map((field) => {
      const [, key, value = ""] = /^([^=]+)=(.*)$/s.exec(field) ?? [];
      if (key === undefined) throw new SecretsError("usage", "--input takes key=value");
      return [key, parseOrText(value)];
    }),
  );
}

function parseOrText(value: string): unknown {
  try {
    return JSON.parse(value, checkDigits as typeof checkDigits & ((key: string, value: unknown) => unknown));
  } catch (error) {
    if (error instanceof SecretsError) throw error;
    return value;
  }
}

/**
 * Refuses a number that JavaScript keeps only in part, such as an id of 19 digits: the task would get another one.
 * Fractions are rounded everywhere.
 */
function checkDigits(_: string, value: unknown, { source = "" }: { readonly source?: string }): unknown {
  if (typeof value !== "number") return value;
  const isKept = Number.isFinite(value) && (!/^-?\d+$/.test(source) || BigInt(source) === BigInt(value));
  if (isKept) return value;
  const number = excerpt(source);
  throw new SecretsError(
    "usage",
    `--input: JavaScript has no number ${number}, and the nearest is ${value}: give it as text, in quotes within the ` +
      `shell's: 'key="${number}"'`,
  );
}
