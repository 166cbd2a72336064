import { type Clock, type SecretStore, systemClock } from "@flyte-secrets/core";
import { createKubeClient, type KubeClientOptions, loadClusterConnection } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { createMultiClusterStore } from "./clusters/multi-cluster-store.ts";
import { type EmbeddedStoreOptions, openEmbeddedStore } from "./embedded/embedded-store.ts";
import { type Consistency, type KubernetesStoreOptions, openKubernetesStore } from "./kubernetes/kubernetes-store.ts";

/** Where secrets are stored: on this machine, or in one or several clusters. */
export type StoreOptions =
  | ({ readonly type: "Embedded" } & Omit<EmbeddedStoreOptions, "log">)
  | ({ readonly type: "Kubernetes" } & ClustersOptions);

export interface ClustersOptions {
  /** The cluster that is read first, then those that hold the same secrets. */
  readonly clusters: readonly [ClusterOptions, ...ClusterOptions[]];
  /** Namespace of the managed Secrets, created where it is missing. */
  readonly namespace: string;
  /** Namespace where they may have been before; empty for none. */
  readonly formerNamespace: string;
  /** Namespace of the Secrets that images are pulled with. */
  readonly imagePullNamespace: string;
  /** See {@link KubernetesStoreOptions.consistency}. */
  readonly consistency: Consistency;
  /** Calls a second to each API server, and how many may come at once. */
  readonly qps: number;
  readonly burst: number;
  /** Limit of one call. */
  readonly timeoutMs: number;
}

export interface ClusterOptions {
  /** The cluster's name in the presence of a secret. */
  readonly name: string;
  /** Path of a kubeconfig. Empty: the pod's own cluster, or what kubectl would use. */
  readonly kubeconfig: string;
}

/** What a store in a cluster needs beside its options. */
export interface StoreParts {
  readonly log: Logger;
  /** Environment and home directory in which a kubeconfig is looked for. Default: neither. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly home?: string;
  /** Observes every request to an API server. */
  readonly observe?: KubeClientOptions["observe"] | undefined;
  /** See {@link KubernetesStoreOptions.observeRead}. */
  readonly observeRead?: KubernetesStoreOptions["observeRead"];
}

/** Opens a store; the caller closes it. Throws what opening it throws, `invalid_config` among it. */
export function openStore(options: StoreOptions, parts: StoreParts): Promise<SecretStore> {
  switch (options.type) {
    case "Embedded":
      return openEmbeddedStore({ ...options, log: parts.log });
    case "Kubernetes":
      return openClusters(options, parts);
  }
}

async function openClusters({ clusters, ...options }: ClustersOptions, parts: StoreParts): Promise<SecretStore> {
  await using opened = new AsyncDisposableStack();
  const open = async (cluster: ClusterOptions) => {
    const store = await openCluster(cluster, { ...options, mayBeAway: clusters.length > 1 }, parts);
    return { cluster: cluster.name, store: opened.adopt(store, (each) => each.close()) };
  };
  const [first, ...others] = clusters;
  const own = await open(first);
  const rest = [];
  for (const cluster of others) rest.push(await open(cluster));
  opened.move();
  return rest.length === 0 ? own.store : createMultiClusterStore([own, ...rest]);
}

async function openCluster(
  { name, kubeconfig }: ClusterOptions,
  { qps, burst, timeoutMs, ...options }: Omit<ClustersOptions, "clusters"> & { readonly mayBeAway: boolean },
  { log, env = {}, home = "", observe, observeRead }: StoreParts,
) {
  const clock: Clock = systemClock;
  const connection = loadClusterConnection({ kubeconfig, env, home, clock });
  const client = createKubeClient({ connection, qps, burst, timeoutMs, clock, ...(observe && { observe }) });
  return await openKubernetesStore({ ...options, client, clusterName: name, observeRead, clock, log });
}
