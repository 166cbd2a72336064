import type { Config } from "@flyte-secrets/config";
import {
  INJECT_LABEL,
  MountRequirement,
  type SecretRequest,
  SecretsError,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import type { InjectContext, Pod } from "@flyte-secrets/inject";
import type { PodClaimOptions } from "@flyte-secrets/webhook";
import { Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import type { Explanation } from "../explain/explain-request.ts";
import { DetailedError } from "../failure.ts";
import { givenFlags, mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import {
  givenNamespaceLabels,
  type NamespaceLabelsOptions,
  namespaceLabelsOption,
} from "../options/namespace-labels.ts";
import { addOutputOption, type OutputOptions } from "../options/secret-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";
import { isTaskFile } from "../options/task-file.ts";
import { addTaskScopeOptions, resolveTaskScope, type TaskScopeOptions } from "../options/task-scope-options.ts";
import { tableWidth } from "../output.ts";
import { addPythonOption, type PythonOptions } from "../python/python-option.ts";

const MOUNTS = { any: MountRequirement.ANY, env: MountRequirement.ENV_VAR, file: MountRequirement.FILE } as const;

interface ExplainOptions
  extends TaskScopeOptions,
    OutputOptions,
    SettingOptions,
    NamespaceLabelsOptions,
    PythonOptions {
  readonly filename?: string;
  readonly namespace?: string;
  readonly group?: string;
  readonly groupVersion?: string;
  readonly envVar?: string;
  readonly mount?: keyof typeof MOUNTS;
}

/** `explain KEY` and `explain -f FILE`. */
export function explainCommand(cli: CliContext): Command {
  const command = new Command("explain")
    .summary("Show where a task's secret would come from")
    .description(
      "Ask the secret managers of this configuration for a secret as the webhook, or a task that `run` starts, " +
        "would: where each looks, what is found, and what comes into the pod; never the value. Exit code 1 when no " +
        "manager serves it, or the webhook would reject such a pod.",
    )
    .argument("[key]", "key of the secret that the task asks for; or with TASK a file that defines tasks")
    .argument(
      "[task]",
      "a task of that file: all that it asks for, as run gives it; of a workflow, what its tasks would get",
    )
    .option("-g, --group <group>", "group that it asks for")
    .option("--group-version <version>", "version of the group")
    .addOption(new Option("--mount <how>", "how it wants the secret (default: any)").choices(Object.keys(MOUNTS)))
    .option("--env-var <name>", "variable of its own choice")
    .option("-f, --filename <file>", "instead: all that the pods in this file ask for; - is standard input")
    .option("-n, --namespace <namespace>", "namespace of the pod (default: <project>-<domain>; with -f: default)")
    .addOption(namespaceLabelsOption());
  addPythonOption(command);
  addOutputOption(addTaskScopeOptions(command));
  return addSettingOptions(command)
    .addHelpText(
      "after",
      formatExamples(
        "explain api-key",
        "explain password --group my-db-credentials -p shop -d production --mount env",
        "explain --group projects/p/secrets/db --group-version 3 --webhook.secretManagerTypes GCP",
        "explain tasks.ts train -p shop -d production",
        "explain hello.py main",
        "explain -f pod.yaml -o json",
      ),
    )
    .action(async (key: string | undefined, task: string | undefined) => {
      const options = mergeOptions<ExplainOptions>(command);
      await explain({ key, task }, options, cli);
    });
}

interface Named {
  readonly key: string | undefined;
  readonly task: string | undefined;
}

async function explain({ key, task }: Named, options: ExplainOptions, cli: CliContext): Promise<void> {
  if (options.filename !== undefined) {
    refuseBesideFile(key, options);
    await explainFile(options.filename, options, cli);
  } else if (key !== undefined && (task !== undefined || isTaskFile(key, cli.cwd))) {
    refuseBesideTask(options);
    const { explainTask } = await import("../explain/explain-task.ts");
    await explainTask(key, task, options, cli);
  } else if (key === undefined && options.group === undefined) {
    throw new SecretsError("usage", "name the secret's key or --group, or with -f a file with pods");
  } else await explainOne(key ?? "", options, cli);
}

async function explainOne(key: string, options: ExplainOptions, cli: CliContext): Promise<void> {
  const { explainRequest } = await import("../explain/explain-request.ts");
  const { isServed, rejectionOf } = await import("../explain/explain-pods.ts");
  const { missingSecretHelp } = await import("../secrets/missing-secret.ts");
  const { renderExplanation } = await import("../explain/render-explanation.ts");
  const config = await readConfig(options, cli);
  const scope = await resolveTaskScope(options, config, cli);
  const { org, project, domain } = scope;
  const request = { ...requestOf(options), key };
  const labels = { organization: org, domain, project };
  const refused = new Set<string>();
  const claims = await openClaims(config, { options, cli, refused });
  const context = {
    labels,
    namespace: options.namespace ?? `${project}-${domain}`,
    variables: variablesOf(config),
    // Without a namespace it is a task of `run`, which has no other scope than its own.
    ...(options.namespace !== undefined && {
      claim: await claims({ metadata: { labels }, spec: { containers: [] } }, options.namespace),
    }),
  };
  const { openManagers } = await import("../explain/open-managers.ts");
  await using asked = openManagers(config, { options, cli });
  const explanations = await explainRequest(request, { ...asked, context });
  cli.stdout.write(renderExplanation(explanations, options.outputFormat ?? "table", tableWidth(cli.stdout)));
  const pod = { metadata: { labels, annotations: toRequestAnnotations([request]) }, spec: ONE_CONTAINER };
  const admission = options.namespace === undefined ? { ...asked.admission, scopeGuard: undefined } : asked.admission;
  const served = isServed(explanations);
  const rejection = served && (await rejectionOf("a pod that asks for it alone", { ...context, pod }, admission));
  if (rejection) throw rejection;
  for (const reason of refused) cli.stderr.write(`warning: ${reason}\n`);
  if (served) return;
  const [unfit] = explanations.flatMap((one) => (isFoundAndPassed(one) ? [one.reason] : []));
  const isLookedFor = explanations.some((one) => one.outcome === "passes" && one.places.length > 0);
  const what = `no secret manager serves ${key || options.group}`;
  if (unfit === undefined && isLookedFor) {
    throw new DetailedError("not_injected", what, await missingSecretHelp([key], { config, cli, scope }));
  }
  throw new SecretsError("not_injected", `${what}; ${unfit ?? "the reason of each is shown above"}`);
}

async function explainFile(file: string, options: ExplainOptions, cli: CliContext): Promise<void> {
  const { explainPods, isServed } = await import("../explain/explain-pods.ts");
  const { readManifestFile } = await import("../manifests/read-manifests.ts");
  const { renderExplainedRequests } = await import("../explain/render-explanation.ts");
  const objects = await readManifestFile(file, "--filename", cli);
  const config = await readConfig(options, cli);
  const { openManagers } = await import("../explain/open-managers.ts");
  await using asked = openManagers(config, { options, cli });
  const namespace = options.namespace ?? "default";
  const { limits } = config.webhook;
  const refused = new Set<string>();
  const { requests, rejections } = await explainPods(objects, {
    ...asked,
    variables: variablesOf(config),
    claimOf: await openClaims(config, { options, cli, refused }),
    limits,
    namespace,
  });
  cli.stdout.write(renderExplainedRequests(requests, options.outputFormat ?? "table", tableWidth(cli.stdout)));
  for (const reason of refused) {
    const isTold = rejections.some(({ message }) => message.includes(reason));
    if (!isTold) cli.stderr.write(`warning: ${reason}\n`);
  }
  if (requests.length === 0) cli.stderr.write("note: no pod in it asks for a secret\n");
  for (const title of new Set(requests.filter(({ sent }) => !sent).map(({ object }) => object))) {
    cli.stderr.write(`warning: without the label ${INJECT_LABEL}: "true" the webhook is not asked about ${title}\n`);
  }
  const unserved = requests.filter(({ managers }) => !isServed(managers)).length;
  for (const { message } of rejections) cli.stderr.write(`rejected: ${message}\n`);
  if (unserved > 0) {
    throw new SecretsError(
      "not_injected",
      `${unserved} of ${requests.length} requests are served by no secret manager`,
    );
  }
  if (rejections.length > 0) {
    throw new SecretsError("not_injected", "each request is served, and still the webhook would reject such a pod");
  }
}

const ONE_CONTAINER = { containers: [{ name: "main", image: "main" }] };

interface ClaimParts {
  readonly options: NamespaceLabelsOptions;
  readonly cli: CliContext;
  /** Where the reasons of claims go that don't hold. */
  readonly refused: Set<string>;
}

/**
 * The claims of pods as the webhook decides about them. A refused claim is only reported: whether the pod is admitted
 * nevertheless is up to the admission.
 */
async function openClaims(config: Config, { options, cli, refused }: ClaimParts) {
  const { claimOf, createClaimGuard } = await import("@flyte-secrets/webhook");
  const { scopeBinding } = config.webhook;
  const { organization } = config.secret;
  const namespaceLabels = givenNamespaceLabels(options, config, cli);
  const scopeGuard = createClaimGuard({ scopeBinding, organization }, namespaceLabels);
  const onRefused: PodClaimOptions["onRefused"] = ({ refusal }) => void refused.add(refusal.error.message);
  const creator = { username: "(unknown)", groups: [] };
  return (pod: Pod, namespace: string) =>
    claimOf({ pod, namespace, creator }, { scopeGuard, warnOnly: true, onRefused });
}

function requestOf({
  group = "",
  groupVersion = "",
  envVar = "",
  mount = "any",
}: ExplainOptions): Omit<SecretRequest, "key"> {
  return { group, groupVersion, mountRequirement: MOUNTS[mount], envVar };
}

function variablesOf({ webhook }: Config): InjectContext["variables"] {
  return { prefix: webhook.secretEnvVarPrefix, style: webhook.secretEnvVarNaming };
}

function refuseBesideFile(key: string | undefined, options: ExplainOptions): void {
  const [first] = givenFlags({
    KEY: key,
    "--group": options.group,
    "--group-version": options.groupVersion,
    "--mount": options.mount,
    "--env-var": options.envVar,
    "--project": options.project,
    "--domain": options.domain,
  });
  if (first) throw new SecretsError("usage", `${first} cannot be used with --filename: the pods say what they ask for`);
}

function refuseBesideTask(options: ExplainOptions): void {
  const [first] = givenFlags({
    "--group": options.group,
    "--group-version": options.groupVersion,
    "--mount": options.mount,
    "--env-var": options.envVar,
    "--namespace": options.namespace,
  });
  if (first) throw new SecretsError("usage", `${first} cannot be used with FILE TASK: the task says what it asks for`);
}

/** Whether the secret is there, and another reason stands in the way. */
function isFoundAndPassed(one: Explanation): one is Extract<Explanation, { outcome: "passes" }> {
  return one.outcome === "passes" && one.places.some(({ found }) => found);
}
