import { SecretsError } from "@flyte-secrets/core";
import type { Config, MutatePodOptions } from "@flyte-secrets/server/local";
import { Command, Option } from "commander";
import type { Host } from "../host.ts";
import type { KubernetesObject } from "../manifests/read-manifests.ts";
import type { MutatedObject, MutateObjectOptions } from "../mutate/mutate-object.ts";
import { examples } from "../options/examples.ts";
import { mergedOptions } from "../options/merged-options.ts";
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
export function mutateCommand(host: Host): Command {
  const command = new Command("mutate")
    .summary("Show what the webhook would do to a pod")
    .description(
      "Give pods their secrets as the webhook of this configuration would, and show the change, with the Secrets that would be " +
        "written for it. Nothing is written. Of a Deployment, Job or other object with a pod template, its pods' change is shown in " +
        "the template. Values are masked. Exit code 1 when a pod would be rejected.",
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
    .option("--as <user>", "user who creates the pods (default: unknown, refused claims of a scope are warned of)")
    .option("--as-group <group>", "group of that user; may be repeated", (group: string, before?: string[]) => [
      ...(before ?? []),
      group,
    ]);
  return addSettingOptions(command)
    .addHelpText(
      "after",
      examples(
        "mutate -f pod.yaml",
        "mutate -f pod.yaml -o yaml --webhook.secretManagerTypes K8s,Embedded",
        "mutate -f pod.yaml --as system:serviceaccount:flyte:flytepropeller",
        "kubectl get deployment web -o yaml | flyte-secrets mutate -f - -c '/etc/flyte/config.d/*.yaml'",
      ),
    )
    .action(async () => {
      const options = mergedOptions<MutateOptions>(command);
      checkOptions(options, host);
      const { readManifestFile } = await import("../manifests/read-manifest-file.ts");
      const objects = await readManifestFile(options.filename, "--filename", host);
      const mutations = await mutateAll(objects, await readConfig(options, host), { options, host });
      await show(mutations, options, host);
    });
}

function checkOptions({ outputFormat, showValues, as, asGroup }: MutateOptions, host: Host): void {
  if (!FORMATS.includes(outputFormat)) {
    throw new SecretsError("usage", `--output-format of mutate is one of ${FORMATS.join(", ")}`);
  }
  if (showValues && host.stdout.isTTY) {
    throw new SecretsError("usage", "values are not written to a terminal; send the output to a file or pipe");
  }
  if (asGroup && as === undefined) throw new SecretsError("usage", "--as-group needs --as");
}

async function mutateAll(
  objects: readonly KubernetesObject[],
  config: Config,
  { options, host }: { options: MutateOptions; host: Host },
): Promise<MutatedObject[]> {
  const { createAdmission, globalSecrets } = await import("@flyte-secrets/server/local");
  const { maskGlobal, maskLookup } = await import("../mutate/masked-values.ts");
  const { mutateObject } = await import("../mutate/mutate-object.ts");
  const { createLazyLookup } = await import("../store/lazy-lookup.ts");
  const { as, asGroup = [], namespace, showValues = false } = options;
  await using lookup = createLazyLookup(config, host);
  const global = globalSecrets(config, host.env);
  const writer = { write: async () => {} };
  const namespaceLabels = givenNamespaceLabels(options, config, host);
  const admission = claimable(createAdmission(config, { lookup, global, writer, namespaceLabels }), as);
  const masked = { lookup: maskLookup(lookup), global: maskGlobal(global), writer, namespaceLabels };
  const call: MutateObjectOptions = {
    admission,
    shown: showValues ? admission : claimable(createAdmission(config, masked), as),
    namespace,
    creator: { username: as ?? "(unknown)", groups: asGroup },
  };
  const mutations = await Promise.all(objects.map((object) => mutateObject(object, call)));
  // A webhook that doesn't start rejects no pod.
  await lookup.checkOpened();
  return mutations;
}

/** Whoever is not named may be a trusted creator. */
function claimable(admission: MutatePodOptions, as: string | undefined): MutatePodOptions {
  return as === undefined ? { ...admission, warnOnly: true } : admission;
}

async function show(mutations: readonly MutatedObject[], { outputFormat }: MutateOptions, host: Host): Promise<void> {
  const { renderMutations } = await import("../render/render-mutations.ts");
  const shown = mutations.filter((one) => one.outcome !== "rejected");
  if (shown.length > 0) {
    const text = renderMutations(shown, outputFormat);
    // YAML has no escapes outside of quotes: what programs read stays as it is.
    if (outputFormat === "yaml" && !host.stdout.isTTY) host.stdout.raw.write(text);
    else host.stdout.write(text);
  }
  for (const one of shown) {
    if (one.outcome === "unchanged") host.stderr.write(`note: ${one.title} is unchanged: ${one.why}\n`);
    else for (const warning of one.warnings) host.stderr.write(`warning: ${one.title}: ${warning}\n`);
  }
  const rejections = mutations.flatMap((one) => (one.outcome === "rejected" ? [one.error] : []));
  const [first] = rejections;
  if (first && rejections.length === 1) throw first;
  if (!first) return;
  for (const { message } of rejections) host.stderr.write(`rejected: ${message}\n`);
  throw new SecretsError("not_injected", `${rejections.length} of ${mutations.length} objects would be rejected`);
}
