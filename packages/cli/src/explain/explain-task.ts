import type { Config } from "@flyte-secrets/config";
import { excerpt, quote, type SecretScope, SecretsError } from "@flyte-secrets/core";
import { type TaskDefinition, toPod } from "@flyte-secrets/sdk";
import type { CliContext } from "../context.ts";
import { DetailedError } from "../failure.ts";
import type { NamespaceLabelsOptions } from "../options/namespace-labels.ts";
import type { OutputOptions } from "../options/secret-options.ts";
import { readConfig, type SettingOptions } from "../options/setting-options.ts";
import { isPythonFile, taskFilePath } from "../options/task-file.ts";
import { resolveTaskScope, type TaskScopeOptions } from "../options/task-scope-options.ts";
import { tableWidth } from "../output.ts";
import type { PythonOptions } from "../python/python-option.ts";
import { noteOtherManagers, withLocalManagersOnly } from "../run/inject-task.ts";
import { loadTaskDefinitions, taskRequired } from "../run/list-tasks.ts";
import { findTask } from "../run/load-tasks.ts";
import { describeMissingKeys, missingSecretHelp } from "../secrets/missing-secret.ts";
import { type ExplainedRequest, explainPods, isNowhere, isServed } from "./explain-pods.ts";
import { openManagers } from "./open-managers.ts";
import { renderExplainedRequests } from "./render-explanation.ts";

interface ExplainTaskOptions
  extends SettingOptions,
    TaskScopeOptions,
    OutputOptions,
    NamespaceLabelsOptions,
    PythonOptions {}

/**
 * Shows where `run FILE TASK` would find each secret that the task requests. For a workflow of TypeScript, shows this
 * for each task of the file with the requests that it would inherit, since only a run shows which tasks it calls; for
 * one of Python, for each task that it calls. Throws `usage` with the tasks of the file if none is named, and
 * `not_injected` with the requests that are not served.
 */
export async function explainTask(
  file: string,
  name: string | undefined,
  options: ExplainTaskOptions,
  cli: CliContext,
): Promise<void> {
  const path = taskFilePath(file, cli.cwd);
  const config = await readConfig(options, cli);
  const { definition, called } = await (isPythonFile(path) ? selectPythonTask : selectTask)(
    { file, path, name },
    { config, options, cli },
  );
  const isWorkflow = definition.kind === "workflow";
  const scope = await resolveTaskScope(options, config, cli);
  noteOtherManagers(config, cli);
  if (isWorkflow && !isPythonFile(path)) {
    cli.stderr.write(
      `note: workflow ${quote(definition.name)} gives its own secrets to each task that it calls; which those are shows only ` +
        "when it runs. " +
        `All tasks of ${excerpt(file)}, if it called them:\n`,
    );
  }
  const asked = { config: withLocalManagersOnly(config), options, cli, scope };
  const { requests, rejections } = await explainDefinitions(called, isWorkflow ? definition.requests : [], asked);
  if (requests.length === 0) {
    cli.stderr.write(`note: ${definition.kind} ${quote(definition.name)} asks for no secret\n`);
    return;
  }
  cli.stdout.write(renderExplainedRequests(requests, options.outputFormat ?? "table", tableWidth(cli.stdout)));
  for (const { message } of rejections) cli.stderr.write(`refused: ${message}\n`);
  const unserved = requests.filter(({ managers }) => !isServed(managers));
  if (unserved.length > 0) {
    const missing = [
      ...new Set(unserved.filter(({ managers }) => isNowhere(managers)).map(({ request }) => request.key)),
    ];
    const help = missing.length > 0 ? await missingSecretHelp(missing, { config, cli, scope }) : [];
    const what =
      missing.length > 0
        ? describeMissingKeys(missing)
        : `${unserved.length} of ${requests.length} requests are served by no secret manager`;
    throw new DetailedError("not_injected", isWorkflow ? what : `task ${quote(definition.name)}: ${what}`, help);
  }
  if (rejections.length > 0) {
    throw new SecretsError("not_injected", "each request is served, and still run would refuse the task");
  }
}

interface NamedTask {
  /** As it was typed. */
  readonly file: string;
  readonly path: string;
  readonly name: string | undefined;
}

interface SelectedTask {
  readonly definition: TaskDefinition;
  /** Of a workflow, the tasks to show; else the task itself. */
  readonly called: readonly TaskDefinition[];
}

async function selectTask(
  { file, path, name }: NamedTask,
  { config, cli }: Omit<Asked, "scope">,
): Promise<SelectedTask> {
  const definitions = await loadTaskDefinitions(path, { config, cli });
  if (name === undefined) throw taskRequired("explain", file, definitions);
  const { definition } = findTask(
    definitions.map((one) => ({ definition: one })),
    name,
    file,
  );
  const isWorkflow = definition.kind === "workflow";
  return { definition, called: isWorkflow ? definitions.filter(({ kind }) => kind === "task") : [definition] };
}

async function selectPythonTask(
  { file, path, name }: NamedTask,
  { config, options: { python }, cli }: Omit<Asked, "scope">,
): Promise<SelectedTask> {
  const { loadPythonFile } = await import("../python/load-python-file.ts");
  const { findPythonTask, tasksOfRun, toDefinition, toDefinitions } = await import("../python/python-requests.ts");
  const from = await loadPythonFile(path, { config, cli, python });
  if (name === undefined) throw taskRequired("explain", file, toDefinitions(from));
  const task = findPythonTask(from, name);
  const called = task.kind === "workflow" ? tasksOfRun(from, task).filter(({ kind }) => kind !== "workflow") : [task];
  return { definition: toDefinition(task), called: called.map(toDefinition) };
}

interface Asked {
  readonly config: Config;
  readonly options: ExplainTaskOptions;
  readonly cli: CliContext;
  readonly scope: SecretScope;
}

async function explainDefinitions(
  definitions: readonly TaskDefinition[],
  inherited: TaskDefinition["requests"],
  { config, options, cli, scope }: Asked,
) {
  await using asked = openManagers(config, { options, cli });
  const { secretEnvVarPrefix: prefix, secretEnvVarNaming: style, limits } = config.webhook;
  const requests: ExplainedRequest[] = [];
  const rejections: SecretsError[] = [];
  for (const definition of definitions) {
    const pod = toPod({ definition }, { image: "local", ...scope, inherited });
    const explained = await explainPods([pod], {
      ...asked,
      variables: { prefix, style },
      claimOf: () => undefined,
      // A task of run has no other scope than its own.
      admission: { ...asked.admission, scopeGuard: undefined },
      limits,
      namespace: pod.metadata.namespace,
    });
    requests.push(...explained.requests.map((one) => ({ ...one, object: `task ${definition.name}` })));
    rejections.push(...explained.rejections);
  }
  return { requests, rejections };
}
