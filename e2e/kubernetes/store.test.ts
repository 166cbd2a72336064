import { kubernetesSecretName } from "@flyte-secrets/core";
import {
  createKubeClient,
  createLogger,
  findKubeConnection,
  type KubeClient,
  type KubernetesStore,
  type KubernetesStoreOptions,
  openKubernetesStore,
  systemClock,
} from "@flyte-secrets/server";
import { describeSecretStore, type StoreHarness } from "@flyte-secrets/testkit/vitest";
import { afterAll, beforeAll } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";

const log = createLogger({
  level: "warn",
  mute: process.env.SHOW_LOG !== "true",
  "show-source": false,
  formatter: { type: "json" },
});

describeWith(requireKubernetes(), "the Kubernetes store on a real API server", () => {
  let cluster: Cluster;
  let namespaces = 0;

  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.close());

  function connect(kubeconfig = cluster.adminKubeconfig): KubeClient {
    const connection = findKubeConnection({ kubeconfig, env: {}, home: "/nowhere", clock: systemClock });
    return createKubeClient({ connection, qps: 1_000, burst: 1_000, timeoutMs: 30_000, clock: systemClock });
  }

  function openIn(namespace: string, change: Partial<KubernetesStoreOptions> = {}): Promise<KubernetesStore> {
    const options = { namespace, imagePullNamespace: namespace, clusterName: "one", clock: systemClock, log };
    return openKubernetesStore({ ...options, client: connect(), ...change });
  }

  async function startInCluster(): Promise<StoreHarness> {
    namespaces += 1;
    const namespace = `store-${namespaces}`;
    const opened: KubernetesStore[] = [];
    const open = async () => {
      const store = await openIn(namespace);
      opened.push(store);
      return store;
    };
    return {
      store: await open(),
      connect: open,
      async markSystem(id) {
        await cluster.kubectl([
          "label",
          "secret",
          `--namespace=${namespace}`,
          kubernetesSecretName(id),
          "app.flyte.org/system=true",
        ]);
      },
      watching: async (client) => opened.find((store) => store === client)?.synced(),
      async close() {
        for (const store of opened) await store.close();
      },
    };
  }

  describeSecretStore("the Kubernetes store", startInCluster);
});
