import { excerpt, SecretsError } from "@flyte-secrets/core";
import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";
import { addTaskScopeOptions, resolveTaskScope, type TaskScopeOptions } from "../options/task-scope-options.ts";

interface RunOptions extends SettingOptions, TaskScopeOptions {
  readonly input?: readonly string[];
  readonly mask: boolean;
  readonly verbose?: boolean;
}

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
      const result = await run(file, task, { options: mergeOptions<RunOptions>(command), cli });
      if (result !== undefined) cli.stdout.write(`${result}\n`);
    });
}

interface RunCall {
  readonly options: RunOptions;
  readonly cli: CliContext;
}

async function run(file: string, name: string | undefined, { options, cli }: RunCall): Promise<string | undefined> {
  const signal = cli.interruption();
  const { createManagers, globalSecrets } = await import("@flyte-secrets/webhook");
  const { toAdmissionOptions } = await import("../configured/webhook-options.ts");
  const { ownNamespace } = await import("../configured/own-namespace.ts");
  const { createLocalLookup } = await import("../store/local-lookup.ts");
  const { missingSecretHelp } = await import("../secrets/missing-secret.ts");
  const { noteOtherManagers, withLocalManagersOnly } = await import("../run/inject-task.ts");
  const { taskRequired, loadTaskDefinitions } = await import("../run/list-tasks.ts");
  const { taskFilePath } = await import("../run/task-file.ts");
  const { runLocal } = await import("../run/run-local.ts");
  const path = taskFilePath(file, cli.cwd);
  const config = await readConfig(options, cli);
  if (name === undefined)
    throw taskRequired(
      "run",
      file,
      await loadTaskDefinitions(path, { config, cli, verbose: options.verbose ?? false }),
    );
  const scope = await resolveTaskScope(options, config, cli);
  const { delivery, escapeInlineVariables: escapeVariables } = config.webhook.embeddedSecretManagerConfig;
  const deciding = toAdmissionOptions(withLocalManagersOnly(config), ownNamespace(config, cli));
  noteOtherManagers(config, cli);
  await using lookup = createLocalLookup(config, cli);
  return await runLocal({
    file: path,
    name,
    input: toInput(options.input),
    mask: options.mask,
    verbose: options.verbose ?? false,
    env: cli.env,
    cwd: cli.cwd,
    stdout: cli.stdout.raw,
    stderr: cli.stderr.raw,
    colors: { stdout: cli.stdout.hasColors, stderr: cli.stderr.hasColors },
    signal,
    injection: {
      scope,
      lookup,
      global: globalSecrets(deciding.global, cli.env),
      createManagersOver: (parts) => createManagers(deciding, parts),
      missingHelp: async (keys, tried) => [
        ...(await missingSecretHelp(keys, { config, scope, cli })),
        options.verbose ? `  Tried: ${tried}` : "  --verbose shows where it was looked for.",
      ],
      delivery,
      escapeVariables,
      secretEnvVarPrefix: config.webhook.secretEnvVarPrefix,
      limits: config.webhook.limits,
      envVarNaming: config.webhook.secretEnvVarNaming,
    },
  });
}

const collect = (field: string, before: readonly string[] = []): readonly string[] => [...before, field];

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
