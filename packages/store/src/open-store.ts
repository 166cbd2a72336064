import type { Config } from "@flyte-secrets/config";
import type { SecretStore } from "@flyte-secrets/core";
import { systemClock } from "@flyte-secrets/core";
import type { KubeClientOptions } from "@flyte-secrets/kube";
import { createKubeClient, findKubeConnection } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { createMultiClusterStore } from "./clusters/multi-cluster-store.ts";
import { openEmbeddedStore } from "./embedded/embedded-store.ts";
import { openKubernetesStore } from "./kubernetes/kubernetes-store.ts";

/** Where a cluster is looked for. */
export interface StoreDependencies {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Hears of every request to an API server. */
  readonly observe?: KubeClientOptions["observe"];
}

/** Opens the store that `secret.store` describes; the caller closes it. Throws what opening it throws, `invalid_config` among it. */
export async function openStore(
  secret: Config["secret"],
  log: Logger,
  surroundings: StoreDependencies = { env: {}, home: "" },
): Promise<SecretStore> {
  const { store, kubernetes } = secret;
  switch (store.type) {
    case "Embedded":
      return openEmbeddedStore({
        directory: store.path,
        clusterName: kubernetes.clusterName,
        log,
        ...(store.masterKey && { masterKey: store.masterKey.revealBytes() }),
      });
    case "Kubernetes":
      return openClusters(secret, log, surroundings);
  }
}

/** The cluster of this server, and those beside it. */
async function openClusters(
  { kubernetes, imagePullNamespace }: Config["secret"],
  log: Logger,
  { observe, ...surroundings }: StoreDependencies,
): Promise<SecretStore> {
  const {
    clusterName,
    namespace,
    formerNamespace,
    kubeconfig,
    otherClusters,
    qps,
    burst,
    timeout: timeoutMs,
  } = kubernetes;
  const clock = systemClock;
  const others = Object.entries(otherClusters);
  const open = async (cluster: string, file: string) => {
    const connection = findKubeConnection({ kubeconfig: file, ...surroundings, clock });
    const client = createKubeClient({ connection, qps, burst, timeoutMs, clock, ...(observe && { observe }) });
    const where = {
      client,
      namespace,
      formerNamespace,
      imagePullNamespace,
      clusterName: cluster,
      mayBeAway: others.length > 0,
    };
    return openKubernetesStore({ ...where, clock, log });
  };
  await using opened = new AsyncDisposableStack();
  const openMember = async (cluster: string, file: string) => {
    const store = opened.adopt(await open(cluster, file), (each) => each.close());
    return { cluster, store };
  };
  const own = await openMember(clusterName, kubeconfig);
  const rest = [];
  for (const [cluster, file] of others) rest.push(await openMember(cluster, file));
  opened.move();
  return rest.length === 0 ? own.store : createMultiClusterStore([own, ...rest]);
}
