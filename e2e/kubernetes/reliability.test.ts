// Three replicas of `flyte-secrets webhook` behind one address, an API server that creates pods through them, a secret
// that gets a new value all the time, and something that breaks. docs/reliability.md has the table that this prints.
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "@flyte-secrets/core";
import { SECRETS } from "@flyte-secrets/kube";
import { type KubernetesStore, openKubernetesStore } from "@flyte-secrets/store";
import { generic, readText } from "@flyte-secrets/testkit/vitest";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { toMarkdown } from "../../bench/table.ts";
import { describeWith } from "../support/requirement.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";
import { type LoadReport, reportLoad, toTableRow } from "./load-report.ts";
import { startPodLoad } from "./pod-load.ts";
import { rotatedNumber, rotatedText, startRotation } from "./rotation.ts";
import { connect, log } from "./store-fixture.ts";
import { startReplicas, WEBHOOK_NAMESPACE, WEBHOOK_RULES, type WebhookReplicas } from "./webhook-replicas.ts";

const NAMESPACE = "shop-development";
const ROTATED = { org: "flyte", domain: "development", project: "shop", name: "rotated" };
const WRITTEN_LABEL = "app.flyte.org/managed-by=flyte-secrets-webhook";
const ETCD_STOPPED_MS = 20_000;
const CUT_MS = 5_000;
const REVOKED_MS = 15_000;
const HUNG_MS = 30_000;
/** So many idle ones an API server keeps to one address. */
const CONNECTIONS = 25;
/** So many in a row without a failure count as normal. */
const ENOUGH = 24;

describeWith(requireKubernetes(), "pods that are created while something breaks", () => {
  let cluster: Cluster;
  let webhooks: WebhookReplicas;
  let store: KubernetesStore;
  /** The number of the value that the secret has between the tests. */
  let latest = 0;
  const rows: Record<string, string | number>[] = [];
  const told: string[] = [];

  beforeAll(async () => {
    cluster = await startCluster();
    for (const namespace of [WEBHOOK_NAMESPACE, NAMESPACE]) await cluster.kubectl(["create", "namespace", namespace]);
    const client = connect(cluster.adminKubeconfig);
    const place = { namespace: WEBHOOK_NAMESPACE, imagePullNamespace: WEBHOOK_NAMESPACE, clusterName: "one" };
    store = await openKubernetesStore({ client, ...place, clock: systemClock, log });
    await store.create(ROTATED, generic(rotatedText(latest)));
    webhooks = await startReplicas(cluster, { count: 3, "webhook.embeddedSecretManagerConfig.type": "K8s" });
  });
  afterAll(async () => {
    await webhooks?.close();
    await store?.close();
    await cluster?.close();
    console.log(`${toMarkdown(rows)}\n\n${told.join("\n")}`);
  });

  /** Has pods created and the secret rotated before, during and after what `happen` does, and says what came of it. */
  async function underLoad(
    what: string,
    happen: () => Promise<void>,
    patience: { readonly patienceSeconds?: number } = {},
  ): Promise<LoadReport> {
    const load = startPodLoad(cluster, {
      ...patience,
      namespace: NAMESPACE,
      project: ROTATED.project,
      domain: ROTATED.domain,
      key: ROTATED.name,
      atOnce: 6,
      everyMs: 300,
    });
    const rotation = startRotation(store, { id: ROTATED, first: latest + 1, everyMs: 200 });
    const untilNormal = async () => {
      const before = load.creations.length;
      const isNormal = () => {
        const last = load.creations.slice(before).slice(-ENOUGH);
        return last.length === ENOUGH && last.every(({ kind }) => kind === "created");
      };
      await vi.waitUntil(isNormal, { timeout: 60_000, interval: 100 });
    };
    await untilNormal();
    await happen();
    await untilNormal();
    const values = await rotation.stop();
    latest = values.at(-1)?.number ?? latest;
    const creations = await load.stop();

    const texts = await writtenTexts();
    const numberIn = ({ name, key }: { name: string; key: string }) => {
      const number = rotatedNumber(texts.get(`${name}/${key}`) ?? "");
      return Number.isNaN(number) ? undefined : number;
    };
    const report = reportLoad({ creations, values, numberIn });
    rows.push(toTableRow(what, report));
    for (const [reason, count] of report.reasons) told.push(`- ${what}: ${count} × ${reason}`);
    expect({ stale: report.stale, broken: report.broken }).toEqual({ stale: [], broken: [] });
    // Nothing that was acknowledged is lost.
    expect(await readText(store, ROTATED)).toBe(rotatedText(latest));
    const stored = new Set((await cluster.kubectl(["get", "pods", "-n", NAMESPACE, "-o", "name"])).split("\n"));
    const names = creations.flatMap((creation) => (creation.kind === "created" ? [`pod/${creation.name}`] : []));
    expect(names.filter((name) => !stored.has(name))).toEqual([]);
    return report;
  }

  /** What lies in the pods' namespace in Secrets of the webhook, by name and key. */
  async function writtenTexts(): Promise<Map<string, string>> {
    const client = connect(cluster.adminKubeconfig);
    const { items } = await client.list(SECRETS, { namespace: NAMESPACE, labelSelector: WRITTEN_LABEL });
    client.close();
    return new Map(
      items.flatMap(({ metadata, data = {} }) =>
        Object.entries(data).map(([key, value]) => [
          `${metadata.name}/${key}`,
          Buffer.from(value, "base64").toString(),
        ]),
      ),
    );
  }

  function someReplica() {
    const replica = webhooks.replicas.find(({ ports }) =>
      webhooks.service.ready().some(({ port }) => port === ports.admission),
    );
    if (replica === undefined) throw new Error("no replica is ready");
    return replica;
  }

  test("a replica that ends on SIGTERM costs no pod", async () => {
    const report = await underLoad("SIGTERM of a replica", async () => {
      const started = performance.now();
      expect(await someReplica().stop()).toBe(0);
      expect(performance.now() - started).toBeLessThan(30_000);
      await webhooks.start();
    });
    expect([...report.reasons]).toEqual([]);
  });

  test("a replica that is killed costs the pods that it was deciding on", async () => {
    const report = await underLoad("kill -9 of a replica", async () => {
      await someReplica().kill();
      await webhooks.start();
    });
    expect(report.failingMs).toBeLessThan(5_000);
  });

  test("a replica that hangs costs those who are sent to it the time limit of the registration", async () => {
    const report = await underLoad(
      "SIGSTOP of a replica, kill -9 after 30 s",
      async () => {
        const replica = someReplica();
        process.kill(replica.pid, "SIGSTOP");
        // What three of its liveness probes take.
        await delay(HUNG_MS);
        await replica.kill();
        await webhooks.start();
      },
      // Longer than the registration's, so that it is the API server that gives up.
      { patienceSeconds: 20 },
    );
    told.push(`- the longest of them failed after ${(report.longestFailureMs / 1000).toFixed(1)} s`);
    for (const reason of report.reasons.keys()) expect(reason).toMatch(/failed calling webhook/);
    // Only those that came before its place was taken away, or by a connection that it had: the API server keeps 25.
    expect(report.failed).toBeLessThan(CONNECTIONS + 6 * 4);
  });

  test("a restart of the API server is survived", async () => {
    await underLoad("restart of the API server", () => cluster.restartApiServer());
  });

  test("etcd that stands still for 20 s is survived", async () => {
    await underLoad("etcd stopped for 20 s", async () => {
      cluster.etcd.pause();
      await delay(ETCD_STOPPED_MS);
      cluster.etcd.resume();
    });
  });

  test("a webhook that is cut off from the API server catches up when the way is back", async () => {
    await underLoad("way of the replicas to the API server cut for 5 s", async () => {
      webhooks.way.cut();
      await delay(CUT_MS);
      webhooks.way.restore();
    });
  });

  test("a webhook whose rights are taken away stops what it can't know, and goes on when they are back", async () => {
    const account = { namespace: WEBHOOK_NAMESPACE, name: "webhook" };
    await underLoad("rights revoked for 15 s, and watches cut", async () => {
      await cluster.createAccount({ ...account, rules: [] });
      // The API server asks for rights when a watch begins.
      webhooks.way.cut();
      webhooks.way.restore();
      await delay(REVOKED_MS);
      await cluster.createAccount({ ...account, rules: WEBHOOK_RULES });
    });
  });
});
