import { connect as connectTls } from "node:tls";
import { systemClock } from "@flyte-secrets/core";
import { SECRETS } from "@flyte-secrets/kube";
import { openKubernetesStore } from "@flyte-secrets/store";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { generic, readText } from "@flyte-secrets/testkit/vitest";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";
import { connect, log } from "./store-fixture.ts";
import { startReplicas, WEBHOOK_NAMESPACE } from "./webhook-replicas.ts";

const CONTESTED = { org: "flyte", domain: "development", project: "shop", name: "contested" };
const CLIENTS = 4;
const UPDATES = 25;
/** Long, so that a half of one would show. */
const longValue = (writer: string) => `${writer}: ${writer.repeat(2_000)}`;

interface Update {
  readonly value: string;
  readonly status: number;
  readonly startedMs: number;
  readonly endedMs: number;
}

describeWith(requireKubernetes(), "several replicas on a real API server", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.kubectl(["create", "namespace", WEBHOOK_NAMESPACE]);
  });
  afterAll(() => cluster?.close());

  test("two of the service that update a secret at the same time: all succeed, and the last write stays, whole", async () => {
    const env = { SECRET_STORE_TYPE: "Kubernetes", SECRET_KUBERNETES_KUBECONFIG: cluster.adminKubeconfig };
    const services = await Promise.all([startServe({ env }), startServe({ env })]);
    onTestFinished(async () => void (await Promise.all(services.map((service) => service.close()))));
    const client = connect(cluster.adminKubeconfig);
    const place = { namespace: WEBHOOK_NAMESPACE, imagePullNamespace: WEBHOOK_NAMESPACE, clusterName: "one" };
    const store = await openKubernetesStore({ client, ...place, clock: systemClock, log });
    onTestFinished(() => store.close());
    await store.create(CONTESTED, generic(longValue("first")));

    const updates: Update[] = [];
    const write = async (service: ServeProcess, writer: string) => {
      for (let n = 0; n < UPDATES; n++) updates.push(await update(service, longValue(`${writer}-${n}`)));
    };
    let writing = true;
    const seen: string[] = [];
    const read = async () => {
      while (writing) seen.push((await readText(store, CONTESTED)) ?? "");
    };
    const reading = read();
    await Promise.all(
      services.flatMap((service, at) => Array.from({ length: CLIENTS }, (_, n) => write(service, `${at}-${n}`))),
    );
    writing = false;
    await reading;

    expect(updates.filter(({ status }) => status !== 200)).toEqual([]);
    const sent = new Set([longValue("first"), ...updates.map(({ value }) => value)]);
    expect(seen.filter((value) => !sent.has(value))).toEqual([]);
    const last = await readText(store, CONTESTED);
    const winner = updates.find(({ value }) => value === last);
    // None began only after the one that stays had ended.
    expect(updates.filter(({ startedMs }) => startedMs > (winner?.endedMs ?? 0))).toEqual([]);
  });

  async function update({ endpoint, token }: ServeProcess, value: string): Promise<Update> {
    const { org: organization, ...id } = CONTESTED;
    const startedMs = performance.now();
    const answer = await fetch(`${endpoint}/flyteidl2.secret.SecretService/UpdateSecret`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ id: { ...id, organization }, secretSpec: { stringValue: value } }),
    });
    await answer.text();
    return { value, status: answer.status, startedMs, endedMs: performance.now() };
  }

  test("three of the webhook that start at the same time serve one certificate, which the registration's CA signed", async () => {
    const webhooks = await startReplicas(cluster, { count: 3, "webhook.embeddedSecretManagerConfig.type": "K8s" });
    onTestFinished(() => webhooks.close());
    const client = connect(cluster.adminKubeconfig);
    onTestFinished(() => client.close());
    const { data = {} } = (await client.get(SECRETS, { namespace: WEBHOOK_NAMESPACE, name: "webhook" })) ?? {};
    const ca = Buffer.from(data["ca.crt"] ?? "", "base64").toString();
    const served = await Promise.all(webhooks.replicas.map(({ ports }) => fingerprint(ports.admission, ca)));
    expect(new Set(served).size).toBe(1);
    const registered = [
      "get",
      "mutatingwebhookconfiguration",
      "webhook",
      "-o",
      "jsonpath={.webhooks[0].clientConfig.caBundle}",
    ];
    expect(await cluster.kubectl(registered)).toBe(data["ca.crt"]);
  });

  /** Of the certificate that is served on a port, once it has been verified. */
  function fingerprint(port: number, ca: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ host: "127.0.0.1", port, ca }, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.once("error", reject);
    });
  }
});
