import { type ScopeLevel, SecretValue, systemClock } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { type KubernetesStore, openKubernetesStore } from "@flyte-secrets/store";
import { ask } from "@flyte-secrets/webhook/testing";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";
import { openDirectReviews, REVIEWED } from "./direct-reviews.ts";
import { connect, log } from "./store-fixture.ts";
import { startReplicas, WEBHOOK_NAMESPACE } from "./webhook-replicas.ts";

const ADMISSIONS = 100;
const SCOPES: Readonly<Record<ScopeLevel, { domain: string; project: string }>> = {
  project: REVIEWED,
  domain: { domain: REVIEWED.domain, project: "" },
  global: { domain: "", project: "" },
};

describeWith(requireKubernetes(), "the webhook in the steady state, with values delivered as references", () => {
  let cluster: Cluster;
  let client: KubeClient;
  let store: KubernetesStore;

  beforeAll(async () => {
    cluster = await startCluster();
    const namespace = WEBHOOK_NAMESPACE;
    for (const each of [namespace, REVIEWED.namespace]) await cluster.kubectl(["create", "namespace", each]);
    client = connect(cluster.adminKubeconfig);
    const place = { namespace, imagePullNamespace: namespace, clusterName: "one" };
    store = await openKubernetesStore({ client, ...place, clock: systemClock, log });
    for (const [level, scope] of Object.entries(SCOPES)) {
      const value = SecretValue.fromText(`value at ${level} scope`);
      await store.create({ org: REVIEWED.org, ...scope, name: level }, { value, type: "generic" });
    }
  });
  afterAll(async () => {
    await store?.close();
    await cluster?.close();
  });

  /**
   * What the API server noted of the webhook's requests, but for watches, which end and begin again, and its own
   * certificate.
   */
  const callsOfWebhook = () =>
    cluster
      .audited(`${WEBHOOK_NAMESPACE}:webhook`)
      .filter(({ verb, objectRef }) => verb !== "watch" && objectRef?.name !== "webhook")
      .map(({ verb, requestURI }) => `${verb} ${requestURI}`);

  test.each([
    "Embedded",
    "K8s",
  ])("manager %s asks the API server for nothing, at whichever scope the secret is", async (manager) => {
    const webhooks = await startReplicas(cluster, {
      count: 1,
      "webhook.secretManagerType": manager,
      "webhook.embeddedSecretManagerConfig.type": "K8s",
      // So long that its sweeper asks for nothing meanwhile.
      "webhook.writtenSecrets.unnamedFor": "1h",
    });
    onTestFinished(() => webhooks.close());
    const [replica] = webhooks.replicas;
    if (replica === undefined) throw new Error("one was to start");
    const lookups = async () => {
      const text = await (await fetch(`http://127.0.0.1:${replica.ports.metrics}/metrics`)).text();
      return Object.fromEntries(
        [...text.matchAll(/^flyte_secrets_lookups_total\{from="(\w+)"\} (\d+)$/gm)].map(([, from, count]) => [
          from,
          Number(count),
        ]),
      );
    };
    for (const level of Object.keys(SCOPES)) {
      const reviews = await openDirectReviews(client, replica, [ask(level)]);
      onTestFinished(() => reviews.close());
      // Writes the Secret, where no pod has asked for this value yet.
      const first = await reviews.admit();
      const [calls, memory] = [callsOfWebhook(), (await lookups()).memory ?? 0];
      expect(calls).toContainEqual(expect.stringMatching(/^create .*\/namespaces\/p-d\/secrets$/));
      for (let n = 0; n < ADMISSIONS; n++) expect(await reviews.admit()).toBe(first);
      expect(callsOfWebhook().slice(calls.length)).toEqual([]);
      expect(await lookups()).toEqual({ memory: memory + ADMISSIONS });
    }
  });
});
