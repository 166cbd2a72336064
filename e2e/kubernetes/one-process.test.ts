// Service and webhook in one process over a real API server: pods get what a call has written once it is answered.
import { join } from "node:path";
import { startServe } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { admittedValue } from "../support/admitted-value.ts";
import { describeWith } from "../support/requirement.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";

describeWith(requireKubernetes(), "serve --webhook.enabled on a real API server", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.kubectl(["create", "namespace", "flyte"]);
  });
  afterAll(() => cluster?.close());

  async function start() {
    const settings = {
      "secret.store.type": "Kubernetes",
      "secret.kubernetes.kubeconfig": cluster.adminKubeconfig,
      "secret.webhookURL": "",
      "webhook.enabled": "true",
      "webhook.url": "https://localhost:9/mutate--v1-pod",
      "webhook.host": "127.0.0.1",
      "webhook.scopeBinding.domains": "d",
      "webhook.listenPort": "0",
      "webhook.cacheInvalidationPort": "0",
      "webhook.disableCreateMutatingWebhookConfig": "true",
      "webhook.embeddedSecretManagerConfig.delivery": "Inline",
      "executor.healthProbeBindAddress": "127.0.0.1:0",
      "executor.metricsBindAddress": "",
    };
    const args = Object.entries(settings).map(([path, value]) => `--${path}=${value}`);
    const serve = await startServe({ directory: join(cluster.directory, "serve"), args });
    onTestFinished(async () => void (await serve.close()));
    const port = Number(/^Webhook on {3}port (\d+)$/m.exec(serve.output())?.[1]);
    const secret = await cluster.kubectl(["get", "secret", "-n", "flyte", "flyte-pod-webhook", "-o", "json"]);
    return { serve, port, ca: Buffer.from(JSON.parse(secret).data["ca.crt"], "base64").toString() };
  }

  test("the next pod gets what a call has written, without waiting for the watch", async () => {
    const { serve, ...webhook } = await start();
    const headers = { authorization: `Bearer ${serve.token}`, "content-type": "application/json" };
    const id = { name: "api-key", project: "p", domain: "d" };
    for (let round = 0; round < 10; round++) {
      const value = `value ${round}`;
      const [method, path] = round === 0 ? ["POST", ""] : ["PUT", "/name/api-key"];
      const body = JSON.stringify({ id, secretSpec: { stringValue: value } });
      const { ok } = await fetch(`${serve.endpoint}/secrets/api/v1${path}`, { method, headers, body });
      expect(ok).toBe(true);
      expect(await admittedValue(webhook, id.name, { host: "localhost" })).toBe(value);
    }
  });
});
