import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { encodeSecretId, INJECT_LABEL, kubernetesSecretName, managedLabels } from "@flyte-secrets/core";
import { defineResource, type KubeClient, type KubeObject, type ObjectMeta, SECRETS } from "@flyte-secrets/kube";
import { createCertificate } from "@flyte-secrets/testkit";
import { ask, taskPod } from "@flyte-secrets/webhook/testing";
import { type Cluster, startCluster } from "../e2e/kubernetes/cluster.ts";
import { REVIEWED } from "../e2e/kubernetes/direct-reviews.ts";
import { startRegisteredWebhook } from "../e2e/kubernetes/webhook-process.ts";
import { WEBHOOK_NAMESPACE } from "../e2e/kubernetes/webhook-replicas.ts";
import { adminToken, connectAsAdmin } from "./cluster-client.ts";
import { type LoadResult, runH2load } from "./h2load.ts";
import { cpuUs } from "./process.ts";
import { type Row, toSpread } from "./table.ts";

const SECONDS = Number(process.env.BENCH_SECONDS ?? "10");
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "3");
/** Pods a second, whether those before were answered or not. */
const RATES = (process.env.BENCH_POD_RATES ?? "50,100,200").split(",").map(Number);
/** In which all connections are made. */
const WARM_UP_SECONDS = 3;
/** So many pods may wait for their answer at once. */
const CONNECTIONS = 200;
/** The label by which the other webhook selects pods. */
const YES_LABEL = "bench.flyte-secrets/yes";

interface WebhookConfiguration extends KubeObject {
  readonly webhooks: readonly { readonly name: string; readonly rules: unknown }[];
}

interface GeneratedPod extends KubeObject {
  readonly metadata: ObjectMeta & { readonly generateName: string };
}

const PODS = defineResource<GeneratedPod>({ apiVersion: "v1", kind: "Pod", plural: "pods" });

const CONFIGURATIONS = defineResource<WebhookConfiguration>({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingWebhookConfiguration",
  plural: "mutatingwebhookconfigurations",
});

/**
 * Pods that a real API server admits at constant rates through one replica of the webhook, next to a webhook that
 * allows every pod unread. They are dry runs, because two cores can store only few; each goes through both the API
 * server and the webhook as one that is stored.
 */
export async function benchPods(): Promise<Row[]> {
  await using opened = new AsyncDisposableStack();
  const cluster = opened.adopt(await startCluster(), (started) => started.close());
  for (const each of [WEBHOOK_NAMESPACE, REVIEWED.namespace]) await cluster.kubectl(["create", "namespace", each]);
  const client = opened.adopt(connectAsAdmin(cluster), (open) => open.close());
  const { namespace: _, ...scope } = REVIEWED;
  const id = { ...scope, name: "asked" };
  const metadata = { namespace: WEBHOOK_NAMESPACE, name: kubernetesSecretName(id), labels: managedLabels(id) };
  const data = { [encodeSecretId(id)]: Buffer.from("bench-value").toString("base64") };
  await client.create(SECRETS, { apiVersion: "v1", kind: "Secret", metadata, data });
  const webhook = opened.adopt(
    await startRegisteredWebhook(cluster.adminKubeconfig, { name: "webhook", "logger.level": "warn" }),
    (started) => started.kill(),
  );
  const yes = opened.adopt(await registerYes(client), (server) => server.close());

  const pods = podsFor(id.name);
  // A registration is in force a moment after it is written.
  while (!JSON.stringify(await client.create(PODS, pods.ours, { dryRun: true })).includes("secretKeyRef"));
  while (yes.allowed() === 0) await client.create(PODS, pods.yes, { dryRun: true });

  const put = (pod: KubeObject, perSecond: number, seconds = SECONDS) => {
    const body = Buffer.from(JSON.stringify(pod));
    const load = { connections: CONNECTIONS, perSecond, seconds, warmUpSeconds: WARM_UP_SECONDS };
    return runH2load({ ...podRequest(cluster), http: "1.1", body, ...load });
  };
  const rows: Row[] = [];
  for (const rate of RATES) {
    const rounds: { yes: LoadResult; ours: LoadResult; cpuUs: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const yes = await put(pods.yes, rate);
      const before = cpuUs(webhook.pid);
      const ours = await put(pods.ours, rate);
      // With those of the warm-up.
      const sent = (ours.answered * (SECONDS + WARM_UP_SECONDS)) / SECONDS;
      rounds.push({ yes, ours, cpuUs: (cpuUs(webhook.pid) - before) / sent });
    }
    const spread = (pick: (round: (typeof rounds)[number]) => number) => toSpread(rounds.map(pick));
    rows.push({
      "pods/s": rate,
      "allowed unread, /s": spread(({ yes }) => yes.perSecond),
      "p99 ms": spread(({ yes }) => yes.p99Ms),
      "ours, /s": spread(({ ours }) => ours.perSecond),
      "our p99 ms": spread(({ ours }) => ours.p99Ms),
      "p99 over it, ms": spread(({ yes, ours }) => ours.p99Ms - yes.p99Ms),
      "our CPU µs a pod": spread((round) => round.cpuUs),
      failed: rounds.reduce((sum, { yes, ours }) => sum + yes.failed + ours.failed, 0),
    });
  }
  return rows;
}

/** A pod that asks for a secret, for each webhook. */
function podsFor(key: string) {
  const { metadata, ...rest } = taskPod([ask(key)]);
  const { name: _, labels, ...others } = metadata;
  const { [INJECT_LABEL]: label = "", ...common } = labels;
  const podOf = (labels: Readonly<Record<string, string>>): GeneratedPod => ({
    ...rest,
    metadata: { ...others, name: "", generateName: "load-", labels: { ...common, ...labels } },
  });
  return { ours: podOf({ [INJECT_LABEL]: label }), yes: podOf({ [YES_LABEL]: "true" }) };
}

/** A webhook in this process that allows every pod, registered as ours is, for pods with a label of its own. */
async function registerYes(client: KubeClient) {
  const { cert, key } = await createCertificate();
  let allowed = 0;
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    // The API server sends such an object.
    const review = (await json(incoming)) as { apiVersion: string; kind: string; request: { uid: string } };
    const { apiVersion, kind, request } = review;
    allowed++;
    outgoing.writeHead(200, { "content-type": "application/json" });
    outgoing.end(JSON.stringify({ apiVersion, kind, response: { uid: request.uid, allowed: true } }));
  };
  const server = createServer({ cert, key, keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
    // At the end of a load the API server gives up what it has begun.
    answer(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const ours = await client.get(CONFIGURATIONS, { name: "webhook" });
  const [registered] = ours?.webhooks ?? [];
  if (registered === undefined) throw new Error("the webhook is not registered");
  const { port } = server.address() as AddressInfo;
  const clientConfig = { url: `https://127.0.0.1:${port}/`, caBundle: Buffer.from(cert).toString("base64") };
  const objectSelector = { matchLabels: { [YES_LABEL]: "true" } };
  const { apiVersion, kind } = CONFIGURATIONS;
  const webhooks = [{ ...registered, name: "yes.flyte-secrets.bench", clientConfig, objectSelector }];
  await client.create(CONFIGURATIONS, { apiVersion, kind, metadata: { name: "yes" }, webhooks });
  return {
    allowed: () => allowed,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function podRequest(cluster: Cluster) {
  return {
    url: `${cluster.url}/api/v1/namespaces/${REVIEWED.namespace}/pods?dryRun=All`,
    headers: { authorization: `Bearer ${adminToken(cluster)}`, "content-type": "application/json" },
  };
}
