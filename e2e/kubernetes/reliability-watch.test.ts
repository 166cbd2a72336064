import { SecretValue, systemClock } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { type KubernetesStore, openKubernetesStore } from "@flyte-secrets/store";
import { generic } from "@flyte-secrets/testkit/vitest";
import { ask } from "@flyte-secrets/webhook/testing";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";
import { openDirectReviews, REVIEWED, readWritten, writtenName } from "./direct-reviews.ts";
import { connect, log } from "./store-fixture.ts";
import { startReplicas, WEBHOOK_NAMESPACE, WEBHOOK_RULES, type WebhookReplica } from "./webhook-replicas.ts";

const { namespace: POD_NAMESPACE, ...SCOPE } = REVIEWED;

describeWith(requireKubernetes(), "a webhook whose watch does not tell", () => {
  let cluster: Cluster;
  let client: KubeClient;
  let store: KubernetesStore;

  beforeAll(async () => {
    cluster = await startCluster();
    const namespace = WEBHOOK_NAMESPACE;
    for (const each of [namespace, POD_NAMESPACE]) await cluster.kubectl(["create", "namespace", each]);
    client = connect(cluster.adminKubeconfig);
    const place = { namespace, imagePullNamespace: namespace, clusterName: "one" };
    store = await openKubernetesStore({ client, ...place, clock: systemClock, log });
  });
  afterAll(async () => {
    await store?.close();
    await cluster?.close();
  });

  /** A webhook that admits pods with the first value of a secret. */
  async function setUp(name: string) {
    const id = { ...SCOPE, name };
    await store.create(id, generic("first"));
    const webhooks = await startReplicas(cluster, { count: 1, "webhook.embeddedSecretManagerConfig.type": "K8s" });
    onTestFinished(() => webhooks.close());
    const [replica] = webhooks.replicas;
    if (replica === undefined) throw new Error("one was to start");
    const reviews = await openDirectReviews(client, replica, [ask(name)]);
    onTestFinished(() => reviews.close());
    const admitted = async () => {
      const written = writtenName(await reviews.admit());
      return (await readWritten(client, POD_NAMESPACE)).get(written);
    };
    expect(await admitted()).toBe("first");
    expect(await stateOf(replica)).toEqual({ ready: "200 ok", trusted: 1, asked: undefined });
    return { replica, way: webhooks.way, admitted, update: () => store.update(id, SecretValue.fromText("second")) };
  }

  async function stateOf({ ports }: WebhookReplica) {
    const ready = await fetch(`http://127.0.0.1:${ports.probes}/readyz`);
    const metrics = await (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text();
    const metric = (name: string) => {
      const found = metrics.split("\n").find((line) => line.startsWith(`${name} `));
      return found && Number(found.slice(name.length));
    };
    return {
      ready: `${ready.status} ${(await ready.text()).trim()}`,
      trusted: metric("flyte_secrets_watch_trusted"),
      asked: metric('flyte_secrets_lookups_total{from="backend"}'),
    };
  }

  test("because it may not follow, says so after 10 s, and asks for each value until it may again", async () => {
    const { replica, way, admitted, update } = await setUp("refused");
    const account = { namespace: WEBHOOK_NAMESPACE, name: "webhook" };
    const rules = WEBHOOK_RULES.map((rule) =>
      rule.resources.includes("secrets")
        ? { ...rule, verbs: rule.verbs.filter((verb) => !/list|watch/.test(verb)) }
        : rule,
    );
    await cluster.createAccount({ ...account, rules });
    // The API server looks at rights when a watch begins.
    way.cut();
    way.restore();
    await update();
    await vi.waitUntil(async () => (await stateOf(replica)).trusted === 0, { timeout: 20_000, interval: 100 });
    expect(await admitted()).toBe("second");
    expect(await stateOf(replica)).toEqual({
      ready: expect.stringMatching(
        /^503 not ready: the Secrets of namespace flyte cannot be watched: (list|watch) secrets in namespace flyte: we have no permission to/,
      ),
      trusted: 0,
      asked: 1,
    });
    await cluster.createAccount({ ...account, rules: WEBHOOK_RULES });
    const isNormal = async () => expect(await stateOf(replica)).toEqual({ ready: "200 ok", trusted: 1, asked: 1 });
    await vi.waitFor(isNormal, { timeout: 20_000, interval: 100 });
    expect(await admitted()).toBe("second");
  });

  test("because its connection is dead, says so after 100 s, and asks for each value", async () => {
    const { replica, way, admitted, update } = await setUp("silent");
    way.freeze();
    await update();
    await vi.waitUntil(async () => (await stateOf(replica)).trusted === 0, { timeout: 120_000, interval: 500 });
    expect(await admitted()).toBe("second");
    expect(await stateOf(replica)).toEqual({
      ready: expect.stringMatching(
        /^503 not ready: the Secrets of namespace flyte cannot be watched: the watch has been silent for 1\d\d s$/,
      ),
      trusted: 0,
      asked: 1,
    });
  });
});
