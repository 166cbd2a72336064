import type { Config } from "@flyte-secrets/config";
import { SecretsError } from "@flyte-secrets/core";
import type { NamespaceLabels } from "@flyte-secrets/webhook";
import { Option } from "commander";
import type { CliContext } from "../context.ts";

export interface NamespaceLabelsOptions {
  readonly namespaceLabels?: string;
}

/** `--namespace-labels`, for commands that judge claims without a cluster. */
export function namespaceLabelsOption(): Option {
  return new Option(
    "--namespace-labels <labels>",
    "labels of the pods' namespace, as kubectl writes them, for webhook.scopeBinding.namespaceLabels",
  );
}

/**
 * Returns the labels of namespaces in the option, else none. Prints a note if they decide about claims and are not
 * given. Throws `usage` for an option that isn't NAME=VALUE, separated by commas.
 */
export function givenNamespaceLabels(
  options: NamespaceLabelsOptions,
  { webhook }: Config,
  cli: CliContext,
): NamespaceLabels {
  if (webhook.scopeBinding.namespaceLabels && options.namespaceLabels === undefined) {
    cli.stderr.write(
      "note: the labels of namespaces decide about claims (webhook.scopeBinding.namespaceLabels), and are not looked " +
        "up here: " +
        "taken to be none; --namespace-labels says which there are\n",
    );
  }
  return namespaceLabelsIn(options);
}

/** Like {@link givenNamespaceLabels}, without the note. */
export function namespaceLabelsIn({ namespaceLabels }: NamespaceLabelsOptions): NamespaceLabels {
  const labels = new Map((namespaceLabels ?? "").split(",").filter(Boolean).map(parseLabel));
  const project = labels.get("flyte.secrets/project");
  const domain = labels.get("flyte.secrets/domain");
  const bound = project === undefined && domain === undefined ? undefined : { project, domain };
  return { find: () => bound, isBound: () => bound !== undefined };
}

function parseLabel(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  throw new SecretsError("usage", "--namespace-labels must be NAME=VALUE, separated by commas");
}
