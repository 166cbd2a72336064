import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { loadConfig } from "@flyte-secrets/config";
import { SecretValue } from "@flyte-secrets/core";
import { serveMemoryApi } from "@flyte-secrets/kube/testing";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { pino } from "pino";
import { expect, it, onTestFinished, vi } from "vitest";
import { runWebhook } from "./run-webhook.ts";
import { ask, podReview, taskPod } from "./testing/pod-review.ts";
import { review } from "./testing/post-review.ts";

function isRefused(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const refused = new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(false)).once("error", () => resolve(true));
  });
  return refused.finally(() => socket.destroy());
}

it("image-pull Secrets without a cluster to copy them in are a setting that can't be honoured", async () => {
  const home = createTemporaryDirectory();
  const flags = {
    "secret.store.path": home,
    "webhook.embeddedSecretManagerConfig.delivery": "Inline",
    "webhook.embeddedSecretManagerConfig.imagePullSecrets.enabled": "true",
  };
  const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags, home, cwd: home });
  await expect(runWebhook(config, { home, env: {}, log: pino({ enabled: false }) })).rejects.toMatchObject({
    code: "invalid_config",
    message: expect.stringMatching(/^webhook\.embeddedSecretManagerConfig\.imagePullSecrets\.enabled copies Secrets/),
  });
});

it("a review that is under way when it is closed is answered, with the Secret that it needs written", async () => {
  const home = createTemporaryDirectory();
  const directory = join(home, "data");
  const store = await openEmbeddedStore({ directory });
  onTestFinished(() => store.close());
  const id = { org: "flyte", domain: "d", project: "p", name: "k" };
  await store.create(id, { value: SecretValue.fromText("v"), type: "generic" });
  const cluster = await serveMemoryApi();
  const kubeconfig = join(home, "kubeconfig");
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      clusters: [{ name: "c", cluster: { server: cluster.url } }],
      users: [{ name: "u", user: {} }],
    }),
    { mode: 0o600 },
  );
  const flags = {
    "secret.store.type": "Embedded",
    "secret.store.path": directory,
    "secret.kubernetes.kubeconfig": kubeconfig,
    "webhook.host": "127.0.0.1",
    "webhook.listenPort": "0",
    "webhook.cacheInvalidationPort": "0",
    "webhook.embeddedSecretManagerConfig.type": "Store",
    "webhook.scopeBinding.domains": "d",
    "webhook.scopeBinding.namespaceLabels": "false",
    "executor.healthProbeBindAddress": "",
    "executor.metricsBindAddress": "",
  };
  const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags, home, cwd: home });
  const webhook = await runWebhook(config, { home, env: {}, log: pino({ enabled: false }) });
  onTestFinished(() => webhook.close({ graceMs: 0 }));
  const read = (name: string) => cluster.api.read(name) as { data?: Record<string, string> } | undefined;
  const ca = Buffer.from(read("flyte-pod-webhook")?.data?.["ca.crt"] ?? "", "base64").toString();

  const { waiting, release } = cluster.hold("POST /api/v1/namespaces/p-d/secrets");
  const target = { port: webhook.ports.admission ?? 0, ca };
  const answer = review(target, podReview(taskPod([ask("k")])), { servername: "flyte-pod-webhook" });
  await vi.waitFor(() => expect(waiting()).toBe(1), 60_000);
  const closed = webhook.close({ graceMs: 0 });
  // Closing has come as far as it does while the review is under way: to the port.
  await vi.waitUntil(() => isRefused(target.port), { timeout: 60_000 });
  release();
  expect(await answer).toMatchObject({ response: { allowed: true, patch: expect.any(String) } });
  expect(cluster.api.writes.filter(({ metadata }) => metadata.name.startsWith("flyte-secrets-"))).toHaveLength(1);
  await closed;
});
