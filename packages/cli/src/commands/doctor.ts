import { excerpt, isSecretsError, SecretsError } from "@flyte-secrets/core";
import { Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { COMPONENTS, type Component, type Finding, note, ok, problem } from "../doctor/finding.ts";
import { mergeOptions, rejectCombination, requireFor } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";
import type { StyledText } from "../output.ts";
import { renderJson } from "../render/render-list.ts";

const FORMATS = ["text", "json", "json-raw"] as const;

interface DoctorOptions extends SettingOptions {
  readonly pods?: string;
  readonly cluster?: boolean;
  readonly for?: Component;
  readonly as?: string;
  readonly namespace?: string;
  readonly outputFormat: (typeof FORMATS)[number];
}

/** `doctor`. */
export function doctorCommand(cli: CliContext): Command {
  const command = new Command("doctor")
    .summary("Find out what is wrong, and how to mend it")
    .description(
      "Check the configuration, who can read the data directory and its keys, the store, the running server, its " +
        "token and its clock. Or, with --cluster, what service and webhook need in a cluster: their rights, " +
        "namespaces, certificate and registration, whether the API server reaches the webhook, its clock, and the " +
        "pods that lack their secrets. Or, with --pods, such pods in a file. Each problem comes with its remedy. " +
        "Exit code 1 when there is any. Changes nothing.",
    )
    .option("--pods <file>", "instead: check the pods in this YAML or JSON file; - is standard input")
    .option("--cluster", "instead: check the cluster that kubectl would use, or the one that this runs in")
    .addOption(
      new Option("-o, --output-format <format>", "how to print the findings; -of works too")
        .choices([...FORMATS])
        .default("text"),
    )
    .optionsGroup("With --cluster:")
    .addOption(new Option("--for <component>", "check for this alone (default: both)").choices([...COMPONENTS]))
    .option("--as <account>", "whose rights, such as system:serviceaccount:NAMESPACE:NAME (default: your own)")
    .option(
      "-n, --namespace <namespace>",
      "namespace of the webhook (default: where the chart installed it, else that of this pod, else flyte)",
    );
  return addSettingOptions(command)
    .addHelpText(
      "after",
      formatExamples(
        "doctor",
        "doctor --secret.store.path /srv/secrets",
        "doctor --cluster -n flyte-secrets",
        "doctor --cluster --for webhook --as system:serviceaccount:flyte-secrets:flyte-secrets-webhook",
        "kubectl get pods -A -o json | flyte-secrets doctor --pods -",
      ),
    )
    .action(async () => {
      const options = mergeOptions<DoctorOptions>(command);
      checkOptions(options);
      const findings = await diagnose(options, cli);
      const { outputFormat } = options;
      cli.stdout.writeStyled(outputFormat === "text" ? findings.flatMap(render) : [renderJson(findings, outputFormat)]);
      const problems = findings.filter(({ state }) => state === "problem").length;
      if (problems > 0) throw new SecretsError("check_failed", `${problems} of ${findings.length} checks failed`);
    });
}

function checkOptions({ pods, cluster, ...rest }: DoctorOptions): void {
  rejectCombination({ "--pods": pods, "--cluster": cluster });
  if (!cluster) requireFor("--cluster", { "--for": rest.for, "--as": rest.as, "--namespace": rest.namespace });
}

async function diagnose(options: DoctorOptions, cli: CliContext): Promise<Finding[]> {
  if (options.pods !== undefined) return await diagnosePods(options.pods, cli);
  try {
    return options.cluster ? await diagnoseCluster(options, cli) : await diagnoseMachine(options, cli);
  } catch (error) {
    if (!isSecretsError(error, "invalid_config")) throw error;
    return [problem(error.message, "correct the configuration; nothing else was checked")];
  }
}

function inOrder({ nodeVersion }: CliContext, foundIn?: string): Finding {
  return ok(`Node ${nodeVersion}, configuration${foundIn === undefined ? "" : ` of ${foundIn}`} in order`);
}

async function diagnosePods(file: string, cli: CliContext): Promise<Finding[]> {
  const { checkPods } = await import("../doctor/check-pods.ts");
  const { readManifestFile } = await import("../manifests/read-manifests.ts");
  return checkPods(await readManifestFile(file, "--pods", cli));
}

async function diagnoseMachine(options: DoctorOptions, cli: CliContext): Promise<Finding[]> {
  const config = await readConfig(options, cli);
  const { checkFiles, checkStore, checkTarget } = await import("../doctor/check-own-store.ts");
  const { checkServer } = await import("../doctor/check-server.ts");
  const asked = await Promise.all([checkServer(config), checkTarget(cli)]);
  return [inOrder(cli), ...checkFiles(config), await checkStore(config), ...asked.flat()];
}

const byDefaults = (namespace: string | undefined) =>
  note(
    `no ConfigMap of the chart was found${namespace === undefined ? "" : ` in namespace ${excerpt(namespace)}`}, or ` +
      "may be read: what follows goes by the defaults; name the configuration with -c, or " +
      (namespace === undefined ? "another namespace with -n" : "leave -n out and all namespaces are looked through"),
  );

async function diagnoseCluster(options: DoctorOptions, cli: CliContext): Promise<Finding[]> {
  const { openCluster } = await import("../cluster/open-cluster.ts");
  const { checkCluster } = await import("../doctor/cluster/check-cluster.ts");
  const { checkOtherClusters } = await import("../doctor/cluster/check-other-clusters.ts");
  const components = options.for === undefined ? COMPONENTS : [options.for];
  const { client, config, namespace, foundIn, connectBeside } = await openCluster(options, cli);
  try {
    const own = await checkCluster({ client, config, components, namespace, account: options.as });
    const others = components.includes("service") ? await checkOtherClusters({ config, connect: connectBeside }) : [];
    const isGiven = foundIn !== undefined || options.config !== undefined || options["section.path"] !== undefined;
    return [inOrder(cli, foundIn), ...(isGiven ? [] : [byDefaults(options.namespace)]), ...own, ...others];
  } finally {
    client.close();
  }
}

function render(finding: Finding): StyledText[] {
  const { mark, style } = MARKS[finding.state];
  const remedy = finding.state === "problem" ? `${" ".repeat(mark.length)}${finding.remedy}\n` : "";
  return [{ text: mark, style }, `${finding.what}\n${remedy}`];
}

const MARKS = {
  ok: { mark: "ok       ", style: "green" },
  note: { mark: "note     ", style: "yellow" },
  problem: { mark: "problem  ", style: "red" },
} as const;
