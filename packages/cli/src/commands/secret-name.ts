import {
  checkSecretId,
  DEFAULT_ORGANIZATION,
  imagePullLabels,
  imagePullSecretName,
  MAX_DATA_KEY_LENGTH,
  type ManagedForm,
  managedForm,
  type SecretId,
} from "@flyte-secrets/core";
import { Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { mergeOptions, rejectCombination } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addOutputOption, addScopeOptions, type ScopeOptions } from "../options/secret-options.ts";
import { renderJson } from "../render/render-list.ts";
import { SECRET_TYPES } from "../values/value-options.ts";

const FORMATS = ["text", "json", "yaml", "name"] as const;

interface NameOptions extends ScopeOptions {
  readonly org?: string;
  readonly type?: (typeof SECRET_TYPES)[number];
  readonly outputFormat?: (typeof FORMATS)[number];
}

/** One Secret that has to be made. */
type SecretForm = ManagedForm & { readonly type: string };

/** `name KEY`. */
export function secretNameCommand(cli: CliContext): Command {
  const command = new Command("name")
    .summary("Print the name that a secret's Kubernetes Secret has to have")
    .description(
      "Print the name, the labels and the data key by which a Kubernetes Secret is the secret of a key and scope, " +
        "for those who make Secrets by other means: External Secrets, Sealed Secrets, Argo CD, kubectl. Asks no " +
        "server and reads no file.",
    )
    .argument("<key>", "key of the secret that tasks ask for");
  addScopeOptions(command).option(
    "--org <organization>",
    "organization, if the service has another (secret.organization)",
    DEFAULT_ORGANIZATION,
  );
  command.addOption(new Option("--type <type>", "type of the secret").choices([...SECRET_TYPES]).default("regular"));
  return addOutputOption(command, FORMATS)
    .addHelpText(
      "after",
      formatExamples(
        "name api-key -p shop -d production",
        "name api-key -p shop -d production -o json",
        "name ghcr --type image_pull",
        "kubectl get secret -n flyte $(flyte-secrets name api-key -o name)",
      ),
    )
    .action(async (key: string) => {
      const options = mergeOptions<NameOptions>(command);
      const { org = DEFAULT_ORGANIZATION, project = "", domain = "", type = "regular" } = options;
      const imagePull = type === "image_pull" || undefined;
      rejectCombination({ "--type image_pull": imagePull, "--project": project || undefined });
      rejectCombination({ "--type image_pull": imagePull, "--domain": domain || undefined });
      const id = { org, project, domain, name: key };
      checkSecretId(id, { maxIdLength: MAX_DATA_KEY_LENGTH });
      cli.stdout.write(await print(formsOf(id, type), options.outputFormat ?? "text"));
    });
}

/** The managed Secret, and for an image-pull secret the one that images are pulled with. */
function formsOf(id: SecretId, type: (typeof SECRET_TYPES)[number]): [SecretForm, ...SecretForm[]] {
  if (type === "regular") return [{ ...managedForm(id, "generic"), type: "Opaque" }];
  const mirror = { name: imagePullSecretName(id), labels: imagePullLabels(id), dataKey: ".dockerconfigjson" };
  return [
    { ...managedForm(id, "image_pull"), type: "Opaque" },
    { ...mirror, type: "kubernetes.io/dockerconfigjson" },
  ];
}

async function print(forms: readonly [SecretForm, ...SecretForm[]], format: (typeof FORMATS)[number]): Promise<string> {
  switch (format) {
    case "name":
      return forms.map(({ name }) => `${name}\n`).join("");
    case "json":
      return renderJson(forms.length === 1 ? forms[0] : forms, "json");
    case "yaml": {
      const { stringify } = await import("yaml");
      return forms.map((form) => stringify(form)).join("---\n");
    }
    case "text":
      return forms.map(toText).join("\n");
  }
}

function toText({ name, type, labels, dataKey }: SecretForm): string {
  const [first = "", ...others] = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
  return [
    `name      ${name}`,
    `type      ${type}`,
    `labels    ${first}`,
    ...others.map((label) => `          ${label}`),
    `data key  ${dataKey}`,
    "",
  ].join("\n");
}
