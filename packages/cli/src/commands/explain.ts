import { type InjectContext, MountRequirement, type SecretScope, SecretsError } from "@flyte-secrets/core";
import type { Config } from "@flyte-secrets/server/local";
import { Command, Option } from "commander";
import type { Explanation } from "../explain/explain-request.ts";
import type { Host } from "../host.ts";
import { addOutputOption, type OutputOptions } from "../options/common-options.ts";
import { examples } from "../options/examples.ts";
import { mergedOptions } from "../options/merged-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";
import { addTaskScopeOptions, resolveTaskScope, type TaskScopeOptions } from "../options/task-scope-options.ts";

const MOUNTS = { any: MountRequirement.ANY, env: MountRequirement.ENV_VAR, file: MountRequirement.FILE } as const;

interface ExplainOptions extends TaskScopeOptions, OutputOptions, SettingOptions {
  readonly group?: string;
  readonly mount: keyof typeof MOUNTS;
}

/** `explain KEY`. */
export function explainCommand(host: Host): Command {
  const command = new Command("explain")
    .summary("Show where a task's secret would come from")
    .description(
      "Ask this machine's secret managers for a secret as a task that `run` starts would, and show where each looked and what was " +
        "found; never the value. Exit code 1 when no manager has it.",
    )
    .argument("<key>", "key of the secret that the task asks for")
    .option("-g, --group <group>", "group that it asks for")
    .addOption(new Option("--mount <how>", "how it wants the secret").choices(Object.keys(MOUNTS)).default("any"));
  addOutputOption(addTaskScopeOptions(command));
  return addSettingOptions(command)
    .addHelpText(
      "after",
      examples("explain api-key", "explain password --group my-db-credentials -p shop -d production --mount env"),
    )
    .action(async (key: string) => {
      const options = mergedOptions<ExplainOptions>(command);
      const { renderExplanation } = await import("../render/render-explanation.ts");
      const { explanations, scope } = await explain(key, options, host);
      host.stdout.write(renderExplanation(explanations, options.outputFormat ?? "table"));
      if (!explanations.some(({ outcome }) => outcome === "serves")) throw notServed(key, scope, explanations);
    });
}

async function explain(key: string, options: ExplainOptions, host: Host) {
  const { createLookup, createStoreFetcher } = await import("@flyte-secrets/server/local");
  const { explainRequest } = await import("../explain/explain-request.ts");
  const { recordEmbedded, recordGlobal } = await import("../explain/recorded-managers.ts");
  const { globalSecrets } = await import("../store/global-secrets.ts");
  const { withStore } = await import("../store/with-store.ts");
  const config = await readConfig(options, host);
  const request = {
    group: options.group ?? "",
    groupVersion: "",
    key,
    mountRequirement: MOUNTS[options.mount],
    envVar: "",
  };
  const scope = await resolveTaskScope(options, config, host);
  const explanations = await withStore(config, (store) => {
    const global = recordGlobal(globalSecrets(config, host));
    const embedded = recordEmbedded(createLookup({ fetcher: createStoreFetcher(store) }));
    return explainRequest(request, [global, embedded], contextOf(scope, config));
  });
  return { explanations, scope };
}

function contextOf({ org, domain, project }: SecretScope, { webhook }: Config): InjectContext {
  return {
    labels: { organization: org, domain, project },
    namespace: `${project}-${domain}`,
    variables: { prefix: webhook.secretEnvVarPrefix, style: webhook.secretEnvVarNaming },
  };
}

function notServed(key: string, { project, domain }: SecretScope, explanations: readonly Explanation[]): SecretsError {
  const [unfit] = explanations.flatMap((one) => (isFoundAndPassed(one) ? [one.reason] : []));
  const remedy = unfit ?? `create it: flyte-secrets create secret ${key} -p ${project} -d ${domain}`;
  return new SecretsError("not_injected", `no secret manager of this machine serves ${key}; ${remedy}`);
}

/** Whether the secret is there, and another reason stands in the way. */
function isFoundAndPassed(one: Explanation): one is Extract<Explanation, { outcome: "passes" }> {
  return one.outcome === "passes" && one.places.some(({ found }) => found);
}
