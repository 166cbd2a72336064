import type { Config } from "@flyte-secrets/config";
import { SecretsError } from "@flyte-secrets/core";
import { Command, Option } from "commander";
import type { CheckOptions } from "../check/run-check.ts";
import { CHECK_FORMATS, type CheckFormat } from "../check/verdict.ts";
import type { CliContext } from "../context.ts";
import { collectValues, mergeOptions, requireFor } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { namespaceLabelsOption } from "../options/namespace-labels.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";
import { addTaskScopeOptions } from "../options/task-scope-options.ts";
import { tableWidth } from "../output.ts";
import { addPythonOption } from "../python/python-option.ts";

interface CheckCommandOptions extends CheckOptions, SettingOptions {
  readonly cluster?: boolean;
  readonly outputFormat: CheckFormat;
}

/** `check [FILE...]`. */
export function checkCommand(cli: CliContext): Command {
  const command = new Command("check")
    .summary("Check before a task is submitted that it will get its secrets")
    .description(
      "Judge every request of tasks, pods and project files as the webhook of this configuration would: whether the " +
        "secret is there and at which scope, whether the pod may have it and its value fits. Where task files and a " +
        "flyte-secrets.yaml are named together, they are compared. No value is shown. Exit code 1 when a task or " +
        "pod would not get its secrets.",
    )
    .argument(
      "[file...]",
      "Python, JavaScript or TypeScript files with tasks, serialised tasks (.pb), manifests with pods, project files " +
        "(none: the project's flyte-secrets.yaml)",
    )
    .addOption(
      new Option("--require <what>", "an error where a secret is at a broader scope only").choices(["narrowest-scope"]),
    )
    .addOption(
      new Option("-o, --output-format <format>", "how to print the verdicts; -of works too")
        .choices([...CHECK_FORMATS])
        .default("table"),
    );
  addPythonOption(command);
  addTaskScopeOptions(command)
    .optionsGroup("Who creates the pods, and where:")
    .option("-n, --namespace <namespace>", "namespace of a manifest's pods that name none", "default")
    .addOption(namespaceLabelsOption())
    .option(
      "--as <user>",
      "user who creates them (default: unknown, so that where trustedCreators names anybody refused claims are only " +
        "warned of)",
    )
    .option("--as-group <group>", "group of that user; may be repeated", collectValues)
    .option(
      "--endpoint <address>",
      "by what a service keeps, with FLYTE_SECRETS_TOKEN as its token, instead of this machine's store",
    )
    .option("--insecure", "plain HTTP to --endpoint instead of TLS")
    .option("--cluster", "by the configuration and secrets of the cluster that kubectl would use");
  return addSettingOptions(command)
    .addHelpText(
      "after",
      formatExamples(
        "check hello.py -p shop -d production",
        "check tasks.ts flyte-secrets.yaml --require narrowest-scope",
        "check pod.yaml -o junit > secrets.xml",
        "check hello.py --cluster",
      ),
    )
    .action(async (files: readonly string[]) => {
      const options = mergeOptions<CheckCommandOptions>(command);
      if (options.as === undefined) requireFor("--as", { "--as-group": options.asGroup });
      if (options.endpoint === undefined) requireFor("--endpoint", { "--insecure": options.insecure });
      await check(files, options, cli);
    });
}

async function check(files: readonly string[], options: CheckCommandOptions, cli: CliContext): Promise<void> {
  const { runCheck } = await import("../check/run-check.ts");
  const { renderVerdicts } = await import("../check/render-verdicts.ts");
  const config = await configurationOf(options, cli);
  const verdicts = await runCheck(files, { config, options, cli });
  cli.stdout.write(renderVerdicts(verdicts, options.outputFormat, tableWidth(cli.stdout)));
  if (verdicts.length === 0) cli.stderr.write("note: nothing in them asks for a secret\n");
  const errors = verdicts.filter(({ level }) => level === "error").length;
  if (errors > 0) throw new SecretsError("check_failed", `${errors} of ${verdicts.length} verdicts are errors`);
}

async function configurationOf(options: CheckCommandOptions, cli: CliContext): Promise<Config> {
  if (!options.cluster) return await readConfig(options, cli);
  const { openCluster } = await import("../cluster/open-cluster.ts");
  // That of the pods isn't the webhook's.
  const { namespace: _, ...settings } = options;
  const { client, config, foundIn } = await openCluster(settings, cli);
  client.close();
  const by = foundIn === undefined ? "the configuration given here" : foundIn;
  cli.stderr.write(
    `note: judged by ${by}; what the webhook's own variables and files hold (Global) isn't known here\n`,
  );
  return config;
}
