import { kubernetesSecretName, type SecretId, systemClock } from "@flyte-secrets/core";
import { createLogger } from "@flyte-secrets/http";
import {
  createKubeClient,
  type KubeClient,
  type KubeSecret,
  loadClusterConnection,
  type ObservedRequest,
} from "@flyte-secrets/kube";
import { type KubernetesStore, type KubernetesStoreOptions, openKubernetesStore } from "@flyte-secrets/store";
import type { StoreHarness } from "@flyte-secrets/testkit/vitest";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { type Cluster, startCluster } from "./cluster.ts";

export const log = createLogger({
  level: "warn",
  mute: process.env.SHOW_LOG !== "true",
  "show-source": false,
  formatter: { type: "json" },
});

export const id = (domain: string, project: string, name = "api-key"): SecretId => ({
  org: "flyte",
  domain,
  project,
  name,
});

/** A client of a real API server, whose limits are in nobody's way. */
export function connect(kubeconfig: string, observe?: (request: ObservedRequest) => void): KubeClient {
  const clock = systemClock;
  const connection = loadClusterConnection({ kubeconfig, env: {}, home: "/nowhere", clock });
  const limits = { qps: 1_000, burst: 1_000, timeoutMs: 30_000 };
  return createKubeClient({ connection, ...limits, clock, ...(observe && { observe }) });
}

/** Kubernetes stores for the tests of a suite, in one real cluster of this version. */
export function useStores(version?: string) {
  let running: Cluster | undefined;
  let namespaces = 0;
  beforeAll(async () => {
    running = await startCluster(version);
  });
  afterAll(() => running?.close());

  function cluster(): Cluster {
    if (running === undefined) throw new Error("the cluster runs while tests do");
    return running;
  }

  function openIn(namespace: string, change: Partial<KubernetesStoreOptions> = {}): Promise<KubernetesStore> {
    const client = change.client ?? connect(cluster().adminKubeconfig);
    const options = { namespace, imagePullNamespace: namespace, clusterName: "one", clock: systemClock, log };
    return openKubernetesStore({ ...options, ...change, client });
  }

  /** A store in a namespace of its own, and what kubectl sees there. */
  async function setUp(change: Partial<KubernetesStoreOptions> = {}) {
    namespaces += 1;
    const namespace = change.namespace ?? `store-${namespaces}`;
    const store = await openIn(namespace, change);
    onTestFinished(() => store.close());
    const kubectl = (args: string[], input?: string) => cluster().kubectl([`--namespace=${namespace}`, ...args], input);
    const apply = (...items: object[]) =>
      kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    const getSecrets = async (): Promise<KubeSecret[]> =>
      JSON.parse(await kubectl(["get", "secrets", "-o", "json"])).items;
    return { namespace, store, kubectl, apply, getSecrets };
  }

  /** For the contract suite. */
  async function startHarness(): Promise<StoreHarness> {
    const { store, namespace, kubectl } = await setUp();
    return {
      store,
      async connect() {
        const client = await openIn(namespace);
        onTestFinished(() => client.close());
        return client;
      },
      async markSystem(secret) {
        await kubectl(["label", "secret", kubernetesSecretName(secret), "app.flyte.org/system=true"]);
      },
      // Every client that this makes is one of these.
      watching: (client) => (client as KubernetesStore).synced(),
      async close() {},
    };
  }

  return { cluster, openIn, setUp, startHarness };
}
