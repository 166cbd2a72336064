import type { Config } from "@flyte-secrets/config";
import type { KubeClient } from "@flyte-secrets/kube";
import type { Host } from "../host.ts";
import { readConfig, type SettingOptions } from "../options/setting-options.ts";
import { findChartConfiguration } from "./chart-configuration.ts";

/** A cluster, and the installation there that a command is about. */
export interface OpenedCluster {
  /** The caller closes it. */
  readonly client: KubeClient;
  /** The webhook's. */
  readonly namespace: string;
  readonly config: Config;
  /** Where the configuration was found; undefined where the command line or default files give it. */
  readonly foundIn: string | undefined;
  /** A client of the cluster that this kubeconfig names, for the caller to close. */
  connectBeside(kubeconfig: string): KubeClient;
}

/**
 * Opens the cluster that kubectl would use, or the one that this runs in. Without `-c` the configuration is the one that the
 * chart made there, if it made one; flags and variables count over it, and files that it names are not looked for on this
 * machine. Throws `invalid_config` where no cluster is known.
 */
export async function openCluster(
  options: SettingOptions & { readonly namespace?: string },
  host: Host,
): Promise<OpenedCluster> {
  const { connectKube } = await import("@flyte-secrets/kube");
  const { podNamespace } = await import("@flyte-secrets/config");
  const { systemClock } = await import("@flyte-secrets/core");
  const { env, home } = host;
  const given = await readConfig(options, host);
  const client = connectKube(given, { env, home, clock: systemClock });
  try {
    const defaultNamespace = (config: Config) => podNamespace({ env, configured: config.actions.kubernetes.namespace });
    const { namespace } = options;
    const found =
      options.config === undefined
        ? await findChartConfiguration(client, { namespace, fallback: defaultNamespace(given) })
        : undefined;
    const config = found ? withoutFiles(await readConfig({ ...options, texts: [found] }, host)) : given;
    return {
      client,
      config,
      namespace: namespace ?? found?.namespace ?? defaultNamespace(config),
      foundIn: found?.origin,
      connectBeside(kubeconfig) {
        const kubernetes = { ...config.secret.kubernetes, kubeconfig };
        const beside = { ...config, secret: { ...config.secret, kubernetes } };
        return connectKube(beside, { env, home, clock: systemClock });
      },
    };
  } catch (error) {
    client.close();
    throw error;
  }
}

/**
 * Paths in a ConfigMap are those of the pod; and whoever may write one in the cluster must not choose a kubeconfig here,
 * which can name programs to run.
 */
function withoutFiles(config: Config): Config {
  const { secret, webhook } = config;
  return {
    ...config,
    secret: { ...secret, kubernetes: { ...secret.kubernetes, kubeconfig: "", otherClusters: {} } },
    webhook: { ...webhook, certDir: "/dev/null" },
  };
}
