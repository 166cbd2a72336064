// Hundreds of Secrets as large as Kubernetes lets them be, where the webhook and the service follow them.
import { readFileSync } from "node:fs";
import { MountRequirement, type SecretId } from "@flyte-secrets/core";
import { type KubeClient, SECRETS } from "@flyte-secrets/kube";
import { startServe } from "@flyte-secrets/testkit";
import { ask } from "@flyte-secrets/webhook/testing";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { flytesSecret } from "../support/flytes-secret.ts";
import { describeWith } from "../support/requirement.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";
import { openDirectReviews, REVIEWED, writtenName } from "./direct-reviews.ts";
import { connect } from "./store-fixture.ts";
import { startRegisteredWebhook } from "./webhook-process.ts";
import { WEBHOOK_NAMESPACE } from "./webhook-replicas.ts";

/** The most that the values of a Secret may have together. */
const LARGEST = 1024 * 1024;
const DELIVERED = 400;
const MANAGED = 80;
const WRITERS = 4;
/** Of the memory that a container of the chart has, 512 MiB. */
const ENVIRONMENT = { NODE_OPTIONS: "--max-old-space-size=256" };
const MEMORY_MIB = 512;

describeWith(requireKubernetes(), "large Secrets in a real API server", () => {
  let cluster: Cluster;
  let client: KubeClient;

  beforeAll(async () => {
    cluster = await startCluster();
    for (const name of [WEBHOOK_NAMESPACE, REVIEWED.namespace]) await cluster.kubectl(["create", "namespace", name]);
    client = connect(cluster.adminKubeconfig);
    // Anybody who may write Secrets into their own namespace can make these.
    const label = { "app.flyte.org/managed-by": "flyte-secrets-webhook" };
    const delivered = Array.from({ length: DELIVERED }, (_, at) => ({
      ...flytesSecret(named("foreign"), Buffer.alloc(LARGEST)),
      metadata: { namespace: REVIEWED.namespace, name: `flyte-secrets-${String(at).padStart(32, "0")}`, labels: label },
    }));
    const managed = ["small", ...Array.from({ length: MANAGED }, (_, at) => `large-${at}`)].map((name) => {
      const { metadata, ...rest } = flytesSecret(named(name), name.padEnd(name === "small" ? 0 : LARGEST, "."));
      return { ...rest, metadata: { ...metadata, namespace: WEBHOOK_NAMESPACE } };
    });
    const waiting = [...delivered, ...managed].values();
    const write = async () => {
      for (const secret of waiting) await client.create(SECRETS, secret);
    };
    await Promise.all(Array.from({ length: WRITERS }, write));
  });
  afterAll(async () => {
    client?.close();
    await cluster?.close();
  });

  const named = (name: string): SecretId => ({ ...REVIEWED_SCOPE, name });

  test("a webhook starts in the memory of its container, and delivers small and large values", async () => {
    const webhook = await startRegisteredWebhook(cluster.adminKubeconfig, { name: "webhook" }, ENVIRONMENT);
    onTestFinished(() => webhook.kill());
    const isReady = async () => (await fetch(`http://127.0.0.1:${webhook.ports.probes}/readyz`)).ok;
    await vi.waitUntil(isReady, { timeout: 240_000, interval: 100 });
    // Some of the large ones have room in its memory, and some do not.
    for (const name of ["small", ...Array.from({ length: MANAGED / 10 }, (_, at) => `large-${at * 10}`)]) {
      const asFile = ask(name, { mountRequirement: MountRequirement.FILE });
      const reviews = await openDirectReviews(client, webhook, [asFile]);
      const written = writtenName(await reviews.admit());
      reviews.close();
      const { data = {} } = (await client.get(SECRETS, { namespace: REVIEWED.namespace, name: written })) ?? {};
      const texts = Object.values(data).map((value) => Buffer.from(value, "base64").toString());
      expect(texts.map((text) => text.replace(/\.+$/, ""))).toEqual([name]);
    }
    console.log(`webhook: ${peakMib(webhook.pid)} MiB at most`);
    expect(peakMib(webhook.pid)).toBeLessThan(MEMORY_MIB);
  });

  test("a service starts in the memory of its container, and lists them", async () => {
    const serve = await startServe({
      env: {
        ...ENVIRONMENT,
        SECRET_STORE_TYPE: "Kubernetes",
        SECRET_KUBERNETES_KUBECONFIG: cluster.adminKubeconfig,
      },
    });
    onTestFinished(async () => void (await serve.close()));
    for (const consistency of ["strong", "eventual"]) {
      const answer = await fetch(`${serve.endpoint}/flyteidl2.secret.SecretService/ListSecrets`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          authorization: `Bearer ${serve.token}`,
          "flyte-secrets-consistency": consistency,
        },
        body: JSON.stringify({ organization: REVIEWED.org, limit: 500 }),
      });
      expect(((await answer.json()) as { secrets: unknown[] }).secrets).toHaveLength(MANAGED + 1);
    }
    console.log(`service: ${peakMib(serve.process.pid ?? 0)} MiB at most`);
    expect(peakMib(serve.process.pid ?? 0)).toBeLessThan(MEMORY_MIB);
  });
});

const { namespace: _, ...REVIEWED_SCOPE } = REVIEWED;

/** The most resident memory that a running process has had (Linux's VmHWM). */
function peakMib(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}
