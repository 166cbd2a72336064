import { setImmediate as nextTurn } from "node:timers/promises";
import { kubernetesSecretName, type SecretId, systemClock } from "@flyte-secrets/core";
import type { KubeClient, KubeSecret } from "@flyte-secrets/kube";
import { createMemoryApi } from "@flyte-secrets/kube/testing";
import { checkOwnWrites } from "@flyte-secrets/testkit/vitest";
import { pino } from "pino";
import { onTestFinished, test } from "vitest";
import { openKubernetesStore } from "./kubernetes-store.ts";

const NAMESPACE = "values";
const SYSTEM_LABEL = "app.flyte.org/system";

/** Two stores over an API server in memory whose watches deliver each event some turns late, and are lost now and then. */
async function setUp() {
  const api = createMemoryApi();
  let events = 0;
  const client: KubeClient = {
    ...api.client,
    async *watch(...args) {
      for await (const event of api.client.watch(...args)) {
        events += 1;
        if (events % 199 === 0) return;
        for (let turns = (events * 7) % 23; turns > 0; turns--) await nextTurn();
        yield event;
      }
    },
    server: "https://api.example.com (a test)",
    namespace: undefined,
    request: () => Promise.reject(new Error("the store asks for objects alone")),
    close() {},
  };
  const open = async () => {
    const names = { namespace: NAMESPACE, imagePullNamespace: NAMESPACE, clusterName: "one" };
    const parts = { client, clock: systemClock, log: pino({ enabled: false }) };
    const store = await openKubernetesStore({ ...names, ...parts, consistency: "eventual" });
    onTestFinished(() => store.close());
    await store.synced();
    return store;
  };
  return { api, replicas: [await open(), await open()] as const };
}

test("no read of a replica shows a state from before its own write, and all see the present in the end", async () => {
  const { api, replicas } = await setUp();
  const nameOf = (id: SecretId) => kubernetesSecretName(id);
  await checkOwnWrites(
    {
      replicas,
      async mark(id, system) {
        const secret = api.read(nameOf(id), NAMESPACE) as KubeSecret;
        const labels = { ...secret.metadata.labels, [SYSTEM_LABEL]: String(system) };
        api.put({ ...secret, metadata: { ...secret.metadata, labels } });
      },
      remove: async (id) => api.remove(nameOf(id), NAMESPACE),
    },
    60,
  );
});
