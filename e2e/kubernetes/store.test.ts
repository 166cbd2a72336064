import { kubernetesSecretName } from "@flyte-secrets/core";
import {
  createKubeClient,
  createLogger,
  findKubeConnection,
  type KubeClient,
  type KubernetesStore,
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

  async function startInCluster(): Promise<StoreHarness> {
    namespaces += 1;
    const namespace = `store-${namespaces}`;
    const opened: { store: KubernetesStore; client: KubeClient }[] = [];
    const open = async () => {
      const client = connect();
      const options = { namespace, imagePullNamespace: namespace, clusterName: "one", clock: systemClock, log };
      const store = await openKubernetesStore({ ...options, client });
      opened.push({ store, client });
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
      watching: async (client) => opened.find(({ store }) => store === client)?.store.synced(),
      async close() {
        for (const { store, client } of opened) {
          await store.close();
          client.close();
        }
      },
    };
  }

  describeSecretStore("the Kubernetes store", startInCluster);
});
