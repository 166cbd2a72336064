import type { Config, ConfigText } from "@flyte-secrets/config";
import { excerpt, isSecretsError, SecretsError } from "@flyte-secrets/core";
import { defineResource, httpStatusOf, type KubeClient, type KubeObject } from "@flyte-secrets/kube";
import type { CliContext } from "../context.ts";
import { readConfig, type SettingOptions } from "../options/setting-options.ts";

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
 * Opens the cluster that kubectl would use, or the one that this runs in. Without `-c` the configuration is the one
 * that the chart made there, if it made one; flags and variables count over it, and files that it names are not looked
 * for on this machine. Throws `invalid_config` where no cluster is known.
 */
export async function openCluster(
  options: SettingOptions & { readonly namespace?: string },
  cli: CliContext,
): Promise<OpenedCluster> {
  const { connectAnyCluster } = await import("@flyte-secrets/kube");
  const { podNamespace } = await import("@flyte-secrets/config");
  const { systemClock } = await import("@flyte-secrets/core");
  const { env, home } = cli;
  const given = await readConfig(options, cli);
  const client = connectAnyCluster(given, { env, home, clock: systemClock });
  try {
    const defaultNamespace = (config: Config) => podNamespace({ env, configured: config.actions.kubernetes.namespace });
    const { namespace } = options;
    const found =
      options.config === undefined
        ? await findChartConfiguration(client, { namespace, fallback: defaultNamespace(given) })
        : undefined;
    const config = found ? withoutFiles(await readConfig({ ...options, texts: [found] }, cli)) : given;
    return {
      client,
      config,
      namespace: namespace ?? found?.namespace ?? defaultNamespace(config),
      foundIn: found?.origin,
      connectBeside(kubeconfig) {
        const kubernetes = { ...config.secret.kubernetes, kubeconfig };
        const beside = { ...config, secret: { ...config.secret, kubernetes } };
        return connectAnyCluster(beside, { env, home, clock: systemClock });
      },
    };
  } catch (error) {
    client.close();
    throw error;
  }
}

/**
 * Paths in a ConfigMap are those of the pod; and whoever may write one in the cluster must not choose a kubeconfig
 * here, which can name programs to run.
 */
function withoutFiles(config: Config): Config {
  const { secret, webhook } = config;
  return {
    ...config,
    secret: { ...secret, kubernetes: { ...secret.kubernetes, kubeconfig: "", otherClusters: {} } },
    webhook: { ...webhook, certDir: "/dev/null" },
  };
}

/** The configuration in the ConfigMap of a Helm release. */
export interface ChartConfiguration extends ConfigText {
  readonly namespace: string;
}

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const CONFIG_MAPS = defineResource<ConfigMap>({ apiVersion: "v1", kind: "ConfigMap", plural: "configmaps" });

/** What the chart writes on the ConfigMaps of its two components, whatever the release is called. */
const SELECTOR = "app.kubernetes.io/part-of=flyte,app.kubernetes.io/component in (webhook, service)";
const FILE = "config.yaml";
const MAX_FOUND = 100;

/**
 * The configuration of the one installation in this namespace, or without one in the cluster; where we may not look in
 * all namespaces, in `fallback`. Undefined where none is found or may be seen. Throws `usage` where there are several.
 */
export async function findChartConfiguration(
  client: KubeClient,
  { namespace, fallback }: { readonly namespace: string | undefined; readonly fallback: string },
): Promise<ChartConfiguration | undefined> {
  const found = (await listIn(client, namespace)) ?? (await listIn(client, fallback)) ?? [];
  // Both components read the same text.
  const releases = new Map(found.map((configMap) => [releaseOf(configMap), configMap]));
  if (releases.size > 1) throw severalReleases([...releases.keys()]);
  const [chosen] = found.sort((one, other) => Number(isWebhook(other)) - Number(isWebhook(one)));
  if (chosen === undefined) return undefined;
  const { name, namespace: place = "" } = chosen.metadata;
  return { namespace: place, origin: `ConfigMap ${place}/${name}`, text: chosen.data?.[FILE] ?? "" };
}

/** Undefined where we may not look. */
async function listIn(client: KubeClient, namespace: string | undefined): Promise<ConfigMap[] | undefined> {
  try {
    const { items } = await client.list(CONFIG_MAPS, { namespace, labelSelector: SELECTOR, limit: MAX_FOUND });
    return items.filter(({ data }) => data?.[FILE] !== undefined);
  } catch (error) {
    if (!isSecretsError(error)) throw error;
    // The command's own calls report what else is wrong with the cluster.
    return httpStatusOf(error) === 403 ? undefined : [];
  }
}

function releaseOf({ metadata }: ConfigMap): string {
  return `${metadata.labels?.["app.kubernetes.io/instance"] ?? metadata.name} in namespace ${metadata.namespace}`;
}

function isWebhook({ metadata }: ConfigMap): boolean {
  return metadata.labels?.["app.kubernetes.io/component"] === "webhook";
}

function severalReleases(releases: readonly string[]): SecretsError {
  const names = releases.slice(0, 5).map((release) => excerpt(release));
  return new SecretsError(
    "usage",
    `${releases.length} installations are there: ${names.join(", ")}${releases.length > names.length ? ", …" : ""}. ` +
      "Choose one by its namespace (-n), or name its configuration (-c).",
  );
}
