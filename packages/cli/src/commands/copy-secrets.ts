import type { Config } from "@flyte-secrets/config";
import { excerpt, isSecretsError, SecretsError } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import type { CopiedSecret } from "@flyte-secrets/store";
import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { describeScope } from "../options/secret-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

interface CopyOptions extends SettingOptions {
  readonly from: string;
  readonly to: string;
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
}

/** `copy-secrets`: managed Secrets of one namespace to another, for a move of the place where they are kept. */
export function copySecretsCommand(cli: CliContext): Command {
  const command = new Command("copy-secrets")
    .summary("Copy all secrets of a cluster to another namespace")
    .description(
      "Copy the Secrets in which the Kubernetes store keeps secrets to another namespace of the same cluster, " +
        "before secret.kubernetes.namespace is changed. Can be repeated: what is there already stays as it is. " +
        "Deletes nothing, and prints no value. Exit code 1 when a secret has another value there. The cluster is " +
        "the one that this runs in, or that --secret.kubernetes.kubeconfig names.",
    )
    .requiredOption("--from <namespace>", "where they are")
    .requiredOption("--to <namespace>", "where they are to be; it has to be there")
    .option("--overwrite", "give those that have another value there the value that they have here")
    .option("--dry-run", "have the API server check everything and keep nothing");
  return addSettingOptions(command)
    .addHelpText(
      "after",
      formatExamples(
        "copy-secrets --from flyte --to flyte-secrets --dry-run --secret.kubernetes.kubeconfig ~/.kube/config",
      ),
    )
    .action(async () => {
      const options = mergeOptions<CopyOptions>(command);
      if (options.from === options.to) throw new SecretsError("usage", "--from and --to name the same namespace");
      await copy(await readConfig(options, cli), options, cli);
    });
}

async function copy(config: Config, options: CopyOptions, cli: CliContext): Promise<void> {
  const { from, to, overwrite = false, dryRun = false } = options;
  const { connectCluster } = await import("@flyte-secrets/kube");
  const { copyManagedSecrets } = await import("@flyte-secrets/store");
  const { systemClock } = await import("@flyte-secrets/core");
  const client = connectCluster(config, { env: cli.env, home: cli.home, clock: systemClock });
  if (client === undefined) {
    throw new SecretsError("usage", "there is no cluster here: name one with --secret.kubernetes.kubeconfig");
  }
  const counts = { copied: 0, overwritten: 0, unchanged: 0, differs: 0 };
  try {
    for await (const { id, outcome } of copyManagedSecrets({ client, from, to, overwrite, dryRun })) {
      counts[outcome] += 1;
      if (outcome !== "unchanged") cli.stdout.write(`${outcome.padEnd(12)}${id.name} (${describeScope(id)})\n`);
    }
    const isEmpty = Object.values(counts).every((count) => count === 0);
    if (isEmpty && (await isMissing(client, from))) {
      throw new SecretsError("not_found", `--from: namespace ${excerpt(from)} does not exist, so nothing was copied`);
    }
  } finally {
    client.close();
  }
  cli.stdout.write(summarize(counts, options));
  if (counts.differs === 0) return;
  const which = counts.differs === 1 ? "1 secret has" : `${counts.differs} secrets have`;
  throw new SecretsError("check_failed", `${which} another value in ${to}, which stays unless --overwrite is given`);
}

/** False where we may not look. */
async function isMissing(client: KubeClient, namespace: string): Promise<boolean> {
  const { NAMESPACES } = await import("@flyte-secrets/kube");
  try {
    return (await client.get(NAMESPACES, { name: namespace })) === undefined;
  } catch (error) {
    if (isSecretsError(error, "credentials_refused")) return false;
    throw error;
  }
}

function summarize(
  counts: Readonly<Record<CopiedSecret["outcome"], number>>,
  { from, to, dryRun }: CopyOptions,
): string {
  const { copied, overwritten, unchanged, differs } = counts;
  const parts = [`${copied} copied`, `${overwritten} overwritten`, `${unchanged} there already`, `${differs} differ`];
  return `From ${from} to ${to}: ${parts.join(", ")}.${dryRun ? " Nothing was kept (--dry-run)." : ""}\n`;
}
