import type { Config } from "@flyte-secrets/config";
import { SecretsError } from "@flyte-secrets/core";
import { Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import type { KubernetesObject } from "../manifests/read-manifests.ts";
import type { MutatedObject, MutateObjectOptions } from "../mutate/mutate-object.ts";
import { mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import {
  givenNamespaceLabels,
  type NamespaceLabelsOptions,
  namespaceLabelsOption,
} from "../options/namespace-labels.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

const FORMATS = ["diff", "yaml", "json", "patch"] as const;

interface MutateOptions extends SettingOptions, NamespaceLabelsOptions {
  readonly filename: string;
  readonly outputFormat: (typeof FORMATS)[number];
  readonly showValues?: boolean;
  readonly namespace: string;
  readonly as?: string;
  readonly asGroup?: readonly string[];
}

/** `mutate`. */
export function mutateCommand(cli: CliContext): Command {
  const command = new Command("mutate")
    .summary("Show what the webhook would do to a pod")
    .description(
      "Give pods their secrets as the webhook of this configuration would, and show the change, with the Secrets " +
        "that would be written for it. Nothing is written. Of a Deployment, Job, RayCluster or other object with " +
        "pod templates, its pods' change is shown in the templates. Values are masked on both sides. Exit code 1 " +
        "when a pod would be rejected.",
    )
    .requiredOption(
      "-f, --filename <file>",
      "YAML or JSON with pods, a List, or several documents; - is standard input",
    )
    .addOption(
      new Option("-o, --output-format <format>", "diff, or the objects, or the patch alone; -of works too")
        .choices([...FORMATS])
        .default("diff"),
    )
    .option("--show-values", "do not mask values; never to a terminal")
    .optionsGroup("Who creates it, and where:")
    .option("-n, --namespace <namespace>", "namespace of what names none", "default")
    .addOption(namespaceLabelsOption())
    .option(
      "--as <user>",
      "user who creates the pods (default: unknown, so that where trustedCreators names anybody refused claims are " +
        "only warned of)",
    )
    .option("--as-group <group>", "group of that user; may be repeated", (group: string, before?: string[]) => [
      ...(before ?? []),
      group,
    ]);
  return addSettingOptions(command)
    .addHelpText(
      "after",
      formatExamples(
        "mutate -f pod.yaml",
        "mutate -f pod.yaml -o yaml --webhook.secretManagerTypes K8s,Embedded",
        "mutate -f pod.yaml --as system:serviceaccount:flyte:flytepropeller",
        "kubectl get deployment web -o yaml | flyte-secrets mutate -f - -c '/etc/flyte/config.d/*.yaml'",
      ),
    )
    .action(async () => {
      const options = mergeOptions<MutateOptions>(command);
      checkOptions(options, cli);
      const { readManifestFile } = await import("../manifests/read-manifests.ts");
      const objects = await readManifestFile(options.filename, "--filename", cli);
      const config = await readConfig(options, cli);
      await show(await mutateAll(objects, config, { options, cli }), { config, options, cli });
    });
}

function checkOptions({ showValues, as, asGroup }: MutateOptions, cli: CliContext): void {
  if (showValues && cli.stdout.isTTY) {
    throw new SecretsError("usage", "values are not written to a terminal; send the output to a file or pipe");
  }
  if (asGroup && as === undefined) throw new SecretsError("usage", "--as-group needs --as");
}

async function mutateAll(
  objects: readonly KubernetesObject[],
  config: Config,
  { options, cli }: { options: MutateOptions; cli: CliContext },
): Promise<MutatedObject[]> {
  const { globalSecrets } = await import("@flyte-secrets/webhook");
  const { toGlobalOptions } = await import("../configured/webhook-options.ts");
  const { withSparkPods } = await import("../manifests/spark-pods.ts");
  const { localAdmission, UNKNOWN_CREATOR } = await import("../mutate/local-admission.ts");
  const { mutateObject } = await import("../mutate/mutate-object.ts");
  const { createLocalLookup } = await import("../store/local-lookup.ts");
  const { as, asGroup = [], namespace } = options;
  await using lookup = createLocalLookup(config, cli);
  const global = globalSecrets(toGlobalOptions(config), cli.env);
  const namespaceLabels = givenNamespaceLabels(options, config, cli);
  const admission = localAdmission(config, { lookup, global, namespaceLabels, cli });
  const warnOnly = config.webhook.scopeBinding.mode === "warn";
  const call: MutateObjectOptions = {
    // Whoever is not named may be a trusted creator.
    admission: as === undefined ? admission : { ...admission, warnOnly },
    namespace,
    creator: as === undefined ? UNKNOWN_CREATOR : { username: as, groups: asGroup },
  };
  const mutations = await Promise.all(objects.flatMap(withSparkPods).map((object) => mutateObject(object, call)));
  // A webhook that doesn't start rejects no pod.
  await lookup.checkOpened();
  return mutations;
}

interface ShowOptions {
  readonly config: Config;
  readonly options: MutateOptions;
  readonly cli: CliContext;
}

async function show(mutations: readonly MutatedObject[], { config, options, cli }: ShowOptions): Promise<void> {
  const { renderMutations } = await import("../mutate/render-mutations.ts");
  const { maskValues } = await import("../mutate/mask-values.ts");
  const { outputFormat, showValues = false } = options;
  const shown = mutations
    .filter((one) => one.outcome !== "rejected")
    .map((one) => (showValues ? one : maskValues(one, config.webhook.secretEnvVarPrefix)));
  if (shown.length > 0) {
    const text = renderMutations(shown, outputFormat);
    // YAML has no escapes outside of quotes: what programs read stays as it is.
    if (outputFormat === "yaml" && !cli.stdout.isTTY) cli.stdout.raw.write(text);
    else cli.stdout.write(text);
  }
  for (const one of shown) {
    if (one.outcome === "unchanged") cli.stderr.write(`note: ${one.title} is unchanged: ${one.why}\n`);
    else for (const warning of one.warnings) cli.stderr.write(`warning: ${one.title}: ${warning}\n`);
  }
  const rejections = mutations.flatMap((one) => (one.outcome === "rejected" ? [one.error] : []));
  const [first] = rejections;
  if (first && rejections.length === 1) throw first;
  if (!first) return;
  for (const { message } of rejections) cli.stderr.write(`rejected: ${message}\n`);
  throw new SecretsError("not_injected", `${rejections.length} of ${mutations.length} objects would be rejected`);
}
