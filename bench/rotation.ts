import { systemClock } from "@flyte-secrets/core";
import { createLogger } from "@flyte-secrets/http";
import { openKubernetesStore } from "@flyte-secrets/store";
import { startCluster } from "../e2e/kubernetes/cluster.ts";
import { REVIEWED } from "../e2e/kubernetes/direct-reviews.ts";
import { measureRotation } from "../e2e/kubernetes/measure-rotation.ts";
import { startReplicas, WEBHOOK_NAMESPACE } from "../e2e/kubernetes/webhook-replicas.ts";
import { connectAsAdmin } from "./cluster-client.ts";
import type { Row } from "./table.ts";

const UPDATES = Number(process.env.BENCH_UPDATES ?? "500");
const REPLICAS = 3;

/**
 * From an update to the first admission with the new value, on each of three webhook processes over a real API server.
 */
export async function benchRotation(): Promise<Row[]> {
  await using opened = new AsyncDisposableStack();
  const cluster = opened.adopt(await startCluster(), (started) => started.close());
  const namespace = WEBHOOK_NAMESPACE;
  for (const each of [namespace, REVIEWED.namespace]) await cluster.kubectl(["create", "namespace", each]);
  const settings = { count: REPLICAS, "webhook.embeddedSecretManagerConfig.type": "K8s" };
  const { replicas } = opened.adopt(await startReplicas(cluster, settings), (started) => started.close());
  const client = connectAsAdmin(cluster);
  const log = createLogger({ level: "warn", mute: false, "show-source": false, formatter: { type: "text" } });
  const place = { namespace, imagePullNamespace: namespace, clusterName: "bench" };
  const store = opened.adopt(await openKubernetesStore({ client, ...place, clock: systemClock, log }), (open) =>
    open.close(),
  );
  const { delaysMs, stale, admissions } = await measureRotation({ client, replicas, store, updates: UPDATES });
  const sorted = delaysMs.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
  return [
    {
      replicas: REPLICAS,
      updates: UPDATES,
      "p50 ms": at(0.5),
      "p99 ms": at(0.99),
      "longest ms": at(1),
      admissions,
      "with an older value than before": stale.length,
    },
  ];
}
