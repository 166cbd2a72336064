import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "@flyte-secrets/config";
import { SecretsError } from "@flyte-secrets/core";
import type { ManageOptions } from "@flyte-secrets/webhook";
import { openCluster } from "../cluster/open-cluster.ts";
import type { Host } from "../context.ts";
import { readConfig, type SettingOptions } from "../options/setting-options.ts";

export interface PlaceOptions extends SettingOptions {
  readonly cluster?: boolean;
  readonly local?: boolean;
  readonly namespace?: string;
}

/** Whose certificate a command is about: that of a cluster's webhook, or of this machine's. The caller closes the client. */
export interface CertificatePlace {
  readonly config: Config;
  readonly options: ManageOptions;
  /** Where the cluster's configuration was found. */
  readonly foundIn?: string | undefined;
}

/**
 * The cluster that the user means (`--cluster`, `-n`, `secret.kubernetes.kubeconfig`, `KUBECONFIG`, or the one that this
 * runs in), else this machine. A kubeconfig that only lies in the home is enough to look, and not to change something
 * (`changes`): then `usage` is thrown, with both choices.
 */
export async function findPlace(
  options: PlaceOptions,
  changes: string | undefined,
  host: Host,
): Promise<CertificatePlace> {
  const { createLogger } = await import("@flyte-secrets/http");
  const { podNamespace } = await import("@flyte-secrets/config");
  const given = options.local ? undefined : await meantCluster(options, changes, host);
  if (given) {
    const { client, namespace, config, foundIn } = await openCluster(options, host);
    return { config, foundIn, options: { client, namespace, log: createLogger(config.logger) } };
  }
  const config = await readConfig(options, host);
  const namespace = podNamespace({ env: host.env, configured: config.actions.kubernetes.namespace });
  return { config, options: { namespace, log: createLogger(config.logger) } };
}

async function meantCluster(options: PlaceOptions, changes: string | undefined, host: Host): Promise<boolean> {
  const { isInCluster } = await import("@flyte-secrets/kube");
  const { env, home } = host;
  if (options.cluster || options.namespace !== undefined || env.KUBECONFIG) return true;
  if (isInCluster(await readConfig(options, host), env)) return true;
  const kubeconfig = join(home, ".kube/config");
  if (!existsSync(kubeconfig)) return false;
  if (changes === undefined) return true;
  throw new SecretsError(
    "usage",
    `certs ${changes} can mean two certificates. Say which: --cluster for the webhook of ${kubeconfig}'s cluster, or --local for ` +
      "one of this machine.",
  );
}
