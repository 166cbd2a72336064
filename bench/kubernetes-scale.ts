import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { encodeSecretId, kubernetesSecretName, managedLabels, type SecretId } from "@flyte-secrets/core";
import { type KubeClient, SECRETS } from "@flyte-secrets/kube";
import { ask, podReview, taskPod } from "@flyte-secrets/webhook/testing";
import { type Cluster, startCluster } from "../e2e/kubernetes/cluster.ts";
import { REVIEWED, readCa } from "../e2e/kubernetes/direct-reviews.ts";
import { startRegisteredWebhook } from "../e2e/kubernetes/webhook-process.ts";
import { WEBHOOK_NAMESPACE } from "../e2e/kubernetes/webhook-replicas.ts";
import { loadAdmission, postReview } from "./admission-load.ts";
import { connectAsAdmin } from "./cluster-client.ts";
import { cpuUs, residentMib, timeToExit } from "./process.ts";
import type { Row } from "./table.ts";

const SECONDS = Number(process.env.BENCH_SECONDS ?? "2");
/** How many managed Secrets there are, one webhook after the other. The first is what the others are compared with. */
const SIZES = (process.env.BENCH_MANAGED ?? "100,10000,50000").split(",").map(Number);
const ASKED = ["asked-0", "asked-1", "asked-2"];
const WARM_UP_SECONDS = 4;

/** `flyte-secrets webhook` over many managed Secrets in a real API server: its start, its memory, its admissions. */
export async function benchKubernetesScale(): Promise<Row[]> {
  await using opened = new AsyncDisposableStack();
  const cluster = opened.adopt(await startCluster(), (started) => started.close());
  for (const each of [WEBHOOK_NAMESPACE, REVIEWED.namespace]) await cluster.kubectl(["create", "namespace", each]);
  const client = opened.adopt(connectAsAdmin(cluster), (open) => open.close());
  const folder = opened.adopt(mkdtempSync(join(tmpdir(), "flyte-secrets-bench-")), (made) =>
    rmSync(made, { recursive: true }),
  );
  const reviewFile = join(folder, "review.json");
  writeFileSync(reviewFile, JSON.stringify(podReview(taskPod(ASKED.map((key) => ask(key))))));
  await fill(
    client,
    ASKED.map((name) => ({ org: REVIEWED.org, domain: REVIEWED.domain, project: REVIEWED.project, name })),
  );
  const rows: Row[] = [];
  let smallest: number | undefined;
  let filled = 0;
  for (const size of SIZES) {
    await fill(
      client,
      Array.from({ length: size - filled }, (_, n) => scattered(filled + n)),
    );
    filled = size;
    const measured = await measureWebhook(cluster, client, reviewFile);
    smallest ??= measured.perSecond;
    rows.push({
      "managed Secrets": size,
      "exec to ready, ms": measured.readyMs,
      "over node -e 0, ms": measured.readyMs - measured.bareMs,
      "CPU of that, ms": measured.readyCpuMs,
      "resident when ready, MiB": measured.readyMib,
      "after the load, MiB": measured.loadedMib,
      "admissions/s": measured.perSecond,
      [`of those with ${SIZES[0]}`]: measured.perSecond / smallest,
      "p99 ms": measured.p99Ms,
      failed: measured.failed,
    });
  }
  return rows;
}

async function measureWebhook(cluster: Cluster, client: KubeClient, reviewFile: string) {
  const bareMs = await timeToExit(process.execPath, ["--eval", "0"], {});
  const started = performance.now();
  const webhook = await startRegisteredWebhook(cluster.adminKubeconfig, { name: "webhook", "logger.level": "warn" });
  try {
    const probe = `http://127.0.0.1:${webhook.ports.probes}/readyz`;
    while (!(await fetch(probe)).ok) await delay(10);
    const readyMs = performance.now() - started;
    const readyCpuMs = cpuUs(webhook.pid) / 1_000;
    const readyMib = residentMib(webhook.pid);
    const url = `https://127.0.0.1:${webhook.ports.admission}/mutate--v1-pod`;
    const load = { url, reviewFile, ca: await readCa(client), connections: 16 };
    const { text } = await postReview({ ...load, seconds: 0 });
    if (!text.includes('"allowed":true')) throw new Error(`the pod is not let in: ${text}`);
    await loadAdmission({ ...load, seconds: WARM_UP_SECONDS });
    const result = await loadAdmission({ ...load, seconds: SECONDS });
    return { ...result, bareMs, readyMs, readyCpuMs, readyMib, loadedMib: residentMib(webhook.pid) };
  } finally {
    await webhook.kill();
  }
}

/** One of many, of a hundred projects. */
function scattered(n: number): SecretId {
  return { org: REVIEWED.org, domain: "development", project: `project-${n % 100}`, name: `secret-${n}` };
}

const WRITERS = 16;

/** Makes managed Secrets, as the service writes them, with values of 64 bytes. */
async function fill(client: KubeClient, ids: readonly SecretId[]): Promise<void> {
  const waiting = ids.values();
  const write = async () => {
    for (const id of waiting) {
      const metadata = { namespace: WEBHOOK_NAMESPACE, name: kubernetesSecretName(id), labels: managedLabels(id) };
      const data = { [encodeSecretId(id)]: Buffer.from(id.name.padEnd(64, "-")).toString("base64") };
      await client.create(SECRETS, { apiVersion: "v1", kind: "Secret", metadata, data });
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
}
