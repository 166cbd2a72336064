import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "@flyte-secrets/config";
import { SecretsError } from "@flyte-secrets/core";
import type { ManageOptions } from "@flyte-secrets/webhook";
import { openCluster } from "../cluster/open-cluster.ts";
import type { CliContext } from "../context.ts";
import { readConfig, type SettingOptions } from "../options/setting-options.ts";

export interface LocateCertificateOptions extends SettingOptions {
  readonly cluster?: boolean;
  readonly local?: boolean;
  readonly namespace?: string;
}

/**
 * Whose certificate a command is about: that of a cluster's webhook, or of this machine's. The caller closes the
 * client.
 */
export interface CertificateLocation {
  readonly config: Config;
  readonly options: ManageOptions;
  /** Where the cluster's configuration was found. */
  readonly foundIn?: string | undefined;
}

/**
 * The cluster that the user means (`--cluster`, `-n`, `secret.kubernetes.kubeconfig`, `KUBECONFIG`, or the one that
 * this runs in), else this machine. A kubeconfig that only lies in the home is enough to look, and not to change
 * something (`changes`): then `usage` is thrown, with both choices.
 */
export async function locateCertificate(
  options: LocateCertificateOptions,
  changes: string | undefined,
  cli: CliContext,
): Promise<CertificateLocation> {
  const { createLogger } = await import("@flyte-secrets/http");
  const { podNamespace } = await import("@flyte-secrets/config");
  const given = options.local ? undefined : await meantCluster(options, changes, cli);
  if (given) {
    const { client, namespace, config, foundIn } = await openCluster(options, cli);
    return { config, foundIn, options: { client, namespace, log: createLogger(config.logger) } };
  }
  const config = await readConfig(options, cli);
  const namespace = podNamespace({ env: cli.env, configured: config.actions.kubernetes.namespace });
  return { config, options: { namespace, log: createLogger(config.logger) } };
}

async function meantCluster(
  options: LocateCertificateOptions,
  changes: string | undefined,
  cli: CliContext,
): Promise<boolean> {
  const { usesCluster } = await import("@flyte-secrets/kube");
  const { env, home } = cli;
  if (options.cluster || options.namespace !== undefined || env.KUBECONFIG) return true;
  if (usesCluster(await readConfig(options, cli), env)) return true;
  const kubeconfig = join(home, ".kube/config");
  if (!existsSync(kubeconfig)) return false;
  if (changes === undefined) return true;
  throw new SecretsError(
    "usage",
    `certs ${changes} can mean two certificates. Say which: --cluster for the webhook of ${kubeconfig}'s cluster, ` +
      "or --local for one of this machine.",
  );
}
