import { join } from "node:path";
import { encodeSecretId, kubernetesSecretName, type SecretId } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import type { ServeProcess } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, describe } from "vitest";
import { type Cluster, requireKubernetes, startCluster } from "../kubernetes/cluster.ts";
import { describeWith } from "./requirement.ts";

/** A store for one server of a suite, with nothing in it. */
export interface SuiteStore {
  /** Flags that make `serve` use it. */
  readonly flags: readonly string[];
  /** A secret's value as it is stored, read past the server; undefined where there is none. */
  readValue(serve: ServeProcess, id: SecretId): Promise<Buffer | undefined>;
}

/** Makes an empty one; to be called while the suite's hooks and tests run. */
export type OpenSuiteStore = () => Promise<SuiteStore>;

/** The stores that a service may have. */
export type StoreName = "embedded" | "Kubernetes";

/** The same suites over each store; the Kubernetes store on a real API server, one for all of them. */
export function describeOverEachStore(suites: (open: OpenSuiteStore, store: StoreName) => void): void {
  describe("the embedded store", () => suites(async () => embeddedStore, "embedded"));
  describeWith(requireKubernetes(), "the Kubernetes store", () => suites(useKubernetesStores(), "Kubernetes"));
}

/** The store that a server has by default. */
export const embeddedStore: SuiteStore = {
  flags: [],
  async readValue({ directory }, id) {
    const store = await openEmbeddedStore({ directory: join(directory, "store") });
    try {
      const value = await store.read(id);
      return value && Buffer.from(value.revealBytes());
    } finally {
      await store.close();
    }
  },
};

/** A namespace for each, and a service account with the rights that docs/kubernetes-store.md asks for. */
function useKubernetesStores(): OpenSuiteStore {
  let cluster: Cluster;
  let namespaces = 0;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.close());
  return async () => {
    namespaces += 1;
    const namespace = `flyte-${namespaces}`;
    await cluster.kubectl(["create", "namespace", namespace]);
    return kubernetesStore(cluster, namespace);
  };
}

const RULES = [
  { apiGroups: [""], resources: ["secrets"], verbs: ["create", "get", "list", "watch", "update", "delete"] },
  { apiGroups: [""], resources: ["namespaces"], verbs: ["get"] },
];

/** The Kubernetes store in a namespace that is there already. */
export async function kubernetesStore(cluster: Cluster, namespace: string): Promise<SuiteStore> {
  const settings = {
    "store.type": "Kubernetes",
    "kubernetes.kubeconfig": await cluster.createAccount({ namespace, name: "flyte-secrets", rules: RULES }),
    "kubernetes.namespace": namespace,
    imagePullNamespace: namespace,
    "server.host": "127.0.0.1",
    webhookURL: "",
  };
  return {
    flags: Object.entries(settings).map(([setting, value]) => `--secret.${setting}=${value}`),
    async readValue(_, id) {
      const name = kubernetesSecretName(id);
      const flags = [`--namespace=${namespace}`, "--ignore-not-found", "-o", "json"];
      const found = await cluster.kubectl(["get", "secret", name, ...flags]);
      return found === "" ? undefined : Buffer.from(JSON.parse(found).data[encodeSecretId(id)], "base64");
    },
  };
}
