import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { type SecretId, SecretValue } from "@flyte-secrets/core";
import { startCollector } from "@flyte-secrets/http/testing";
import type { SecretToDeliver } from "@flyte-secrets/inject";
import { serveMemoryApi } from "@flyte-secrets/kube/testing";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { createCertificate } from "@flyte-secrets/testkit";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { pino } from "pino";
import { expect, it, onTestFinished, vi } from "vitest";
import type { EndpointsOptions } from "./endpoints/start-endpoints.ts";
import { startWebhook } from "./start-webhook.ts";
import { ask, podReview, taskPod } from "./testing/pod-review.ts";
import { review, send } from "./testing/post-review.ts";
import { testLogger } from "./testing/test-logger.ts";
import { clusterSettings, SCOPE_BINDING, webhookOptions } from "./testing/webhook-options.ts";

const CANARY = "canary-7c1e";
const PASSWORD: SecretId = { org: "flyte", domain: "d", project: "p", name: "password" };

/** A webhook over an embedded store with one secret, with real certificates and free ports. */
async function start(change: Parameters<typeof webhookOptions>[1] = {}, level: "debug" | "warn" = "debug") {
  const home = createTemporaryDirectory();
  const directory = join(home, "data");
  const store = await openEmbeddedStore({ directory });
  onTestFinished(() => store.close());
  await store.create(PASSWORD, { value: SecretValue.fromText(CANARY), type: "generic" });

  const bound = { healthProbeBindAddress: "127.0.0.1:0", metricsBindAddress: "127.0.0.1:0" };
  const options = webhookOptions(directory, { ...change, endpoints: { ...bound, ...change.endpoints } });
  const logged: string[] = [];
  const written: { namespace: string; secrets: readonly SecretToDeliver[] }[] = [];
  const { cert, key } = await createCertificate();
  const webhook = await startWebhook(options, {
    log: testLogger({ write: (line) => void logged.push(line) }, level),
    home,
    env: { FLYTE_SECRET_DB_URL: `${CANARY}-global` },
    certificates: { current: () => ({ cert, key, ca: cert }), onChange: () => () => {}, close: async () => {} },
    writer: {
      async write(namespace, secrets, { dryRun = false }) {
        if (!dryRun) written.push({ namespace, secrets });
      },
    },
  });
  onTestFinished(() => webhook.close({ graceMs: 0 }));
  const target = { port: webhook.ports.admission ?? 0, ca: cert };
  return { webhook, store, target, logged: () => logged.join(""), written };
}

function fetchText(port: number | undefined, path: string): Promise<{ status: number; text: string }> {
  return fetch(`http://127.0.0.1:${port}${path}`).then(async (res) => ({ status: res.status, text: await res.text() }));
}

function patchOf(answer: unknown): unknown {
  const { response } = answer as { response: { patch: string } };
  return JSON.parse(Buffer.from(response.patch, "base64").toString());
}

it("gives a pod its secret by reference, and the value is nowhere but in the Secret that is written", async () => {
  const { target, written, logged, webhook } = await start();
  const answer = await review(target, podReview(taskPod([ask("password"), ask("url", { group: "db" })])));
  const names = new Map(written[0]?.secrets.map(({ name, data }) => [Object.keys(data).join(), name]));
  expect(names.size).toBe(2);
  expect(answer).toEqual({
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    response: {
      uid: "8f9e1b7a-6f0c-4b62-9e52-6d0b5b0f0d11",
      allowed: true,
      patchType: "JSONPatch",
      patch: expect.any(String),
    },
  });
  const variable = (variable: string, key: string) => ({
    name: variable,
    valueFrom: { secretKeyRef: { name: names.get(key), key } },
  });
  expect(patchOf(answer)).toEqual([
    {
      op: "add",
      path: "/spec/containers/0/env",
      value: [
        variable("_UNION_DB_URL", "global__db__url"),
        { name: "FLYTE_SECRETS_ENV_PREFIX", value: "_UNION_" },
        variable("_UNION_PASSWORD", "u__org__flyte__domain__d__project__p__key__password"),
      ],
    },
  ]);
  const secret = (key: string, value: string) => ({
    name: names.get(key),
    labels: { "app.flyte.org/managed-by": "flyte-secrets-webhook" },
    data: { [key]: SecretValue.fromText(value) },
  });
  expect(written).toEqual([
    {
      namespace: "p-d",
      secrets: [
        secret("u__org__flyte__domain__d__project__p__key__password", CANARY),
        secret("global__db__url", `${CANARY}-global`),
      ],
    },
  ]);
  const metrics = await fetchText(webhook.ports.metrics, "/metrics");
  for (const text of [JSON.stringify(answer), JSON.stringify(patchOf(answer)), logged(), metrics.text]) {
    for (const form of [
      CANARY,
      Buffer.from(CANARY).toString("base64").slice(0, 12),
      Buffer.from(CANARY).toString("hex"),
    ])
      expect(text).not.toContain(form);
  }
});

it("writes nothing on a dry run, and answers the same", async () => {
  const { target, written } = await start();
  const pod = taskPod([ask("password")]);
  const dry = await review(target, podReview(pod, { dryRun: true }));
  expect(written).toEqual([]);
  expect(await review(target, podReview(pod))).toEqual(dry);
  expect(written).toHaveLength(1);
});

it("puts the value into the pod with delivery Inline", async () => {
  const { target, written } = await start({ admission: { delivery: "Inline" } });
  expect(patchOf(await review(target, podReview(taskPod([ask("password", { envVar: "PGPASS" })]))))).toEqual([
    {
      op: "add",
      path: "/spec/containers/0/env",
      value: [
        { name: "PGPASS", value: CANARY },
        { name: "FLYTE_SECRETS_ENV_PREFIX", value: "_UNION_" },
      ],
    },
  ]);
  expect(written).toEqual([]);
});

it("puts values into answers only where the API server alone can ask, unless it is told otherwise", async () => {
  const startInline = (endpoints: Partial<EndpointsOptions>) => start({ admission: { delivery: "Inline" }, endpoints });
  const refusal = (host: string) => ({
    code: "invalid_config",
    message:
      `webhook.embeddedSecretManagerConfig.delivery Inline on ${host} (webhook.host) would give every secret to everybody who reaches ` +
      "webhook.listenPort; ask for the API server's certificate (webhook.clientCA), use delivery SecretRef, listen on 127.0.0.1, " +
      "or set webhook.allowInlineToEverybody to true",
  });
  await expect(startInline({ host: "" })).rejects.toMatchObject(refusal("all addresses"));
  await expect(startInline({ host: "0.0.0.0" })).rejects.toMatchObject(refusal("0.0.0.0"));
  await startInline({ host: "", allowInlineToEverybody: true });
  await startInline({ host: "::1" });
  await start({ endpoints: { host: "" } });
});

it("sees a value that another process changed, without being told", async () => {
  const { target, store } = await start({ admission: { delivery: "Inline" } });
  const pod = podReview(taskPod([ask("password", { envVar: "PGPASS" })]));
  await review(target, pod);
  await store.update(PASSWORD, SecretValue.fromText("changed"));
  await expect
    .poll(async () => patchOf(await review(target, pod)))
    .toMatchObject([{ value: [{ name: "PGPASS", value: "changed" }, {}] }]);
});

it("says what is missing to a pod that asks for what is nowhere, with the status that ends its task", async () => {
  const { target, logged } = await start();
  expect(await review(target, podReview(taskPod([ask("nope")])))).toEqual({
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    response: {
      uid: "8f9e1b7a-6f0c-4b62-9e52-6d0b5b0f0d11",
      allowed: false,
      status: {
        code: 400,
        message:
          "none of the secret managers injected secret [nope]: Global: global secrets require both group and key to be set; " +
          "Embedded: secret not found across all scopes, looked for u__org__flyte__domain__d__project__p__key__nope (Store), " +
          "u__org__flyte__domain__d__project____key__nope (Store), u__org__flyte__domain____project____key__nope (Store)",
      },
    },
  });
  expect(logged()).toContain('"code":"not_injected"');
});

it("counts what it does", async () => {
  const { target, webhook } = await start();
  await review(target, podReview(taskPod([ask("password")])));
  await review(target, podReview(taskPod([])));
  await review(target, podReview(taskPod([ask("nope")])));
  await send(target, "{}");
  const { text } = await fetchText(webhook.ports.metrics, "/metrics");
  for (const name of ["process_cpu_seconds_total", "process_resident_memory_bytes", "nodejs_eventloop_utilization"]) {
    expect(text).toMatch(new RegExp(`^${name} [0-9.]+`, "m"));
  }
  const lines = text.split("\n").filter((line) => /^(flyte_secrets|controller_runtime)_/.test(line));
  const expiry = "flyte_secrets_certificate_expiry_timestamp_seconds ";
  expect(Number(lines.find((line) => line.startsWith(expiry))?.slice(expiry.length))).toBeGreaterThan(
    Date.now() / 1000,
  );
  expect(
    lines.filter((line) => !line.startsWith(expiry) && !/_(latency|duration)_seconds_(bucket|sum)/.test(line)),
  ).toEqual([
    'flyte_secrets_lookups_total{from="backend"} 2',
    'flyte_secrets_fetches_total{outcome="ok"} 6',
    "flyte_secrets_fetch_duration_seconds_count 6",
    'controller_runtime_webhook_latency_seconds_count{webhook="/mutate--v1-pod"} 4',
    'controller_runtime_webhook_requests_in_flight{webhook="/mutate--v1-pod"} 0',
    'controller_runtime_webhook_requests_total{webhook="/mutate--v1-pod",code="200"} 3',
    'controller_runtime_webhook_requests_total{webhook="/mutate--v1-pod",code="400"} 1',
    'flyte_secrets_admissions_total{outcome="changed",pod_namespace="p-d"} 1',
    'flyte_secrets_admissions_total{outcome="unchanged",pod_namespace="p-d"} 1',
    'flyte_secrets_admissions_total{outcome="rejected",pod_namespace="p-d"} 1',
    'flyte_secrets_injections_total{manager="Embedded",scope="project",pod_namespace="p-d"} 1',
    'flyte_secrets_rejections_total{code="not_injected"} 1',
    "flyte_secrets_requests_bytes 0",
    "flyte_secrets_requests_limit_bytes 67108864",
  ]);
});

it("lets pods in with scopeBinding.mode warn that enforce refuses: warned of, logged once, counted", async () => {
  const { target, webhook, logged } = await start(
    { admission: { scopeBinding: { ...SCOPE_BINDING, mode: "warn" } } },
    "warn",
  );
  const pods = [taskPod([ask("password")]), taskPod([ask("password")]), taskPod([ask("nope")]), taskPod([])];
  const answers = [];
  for (const pod of pods) {
    answers.push(
      await review(target, podReview({ ...pod, metadata: { ...pod.metadata, namespace: "x" } }, { namespace: "x" })),
    );
  }
  const reason =
    'a pod in namespace "x" may not claim project "p" and domain "d", whose own namespace is "p-d" ' +
    "(webhook.scopeBinding.namespaceTemplate): create it there, or have an administrator add to " +
    'webhook.scopeBinding.namespaces: {"x": ["p/d"]}';
  expect(answers).toMatchObject([
    { response: { allowed: true, warnings: [reason] } },
    { response: { allowed: true, warnings: [reason] } },
    // For another reason; with enforce it would have been for this one.
    { response: { allowed: false, status: { code: 400 } } },
    { response: { allowed: true, status: { message: "No changes" } } },
  ]);
  const lines = logged().trimEnd().split("\n");
  const warned = lines.map((line) => JSON.parse(line)).filter(({ rule }) => rule !== undefined);
  expect(warned).toMatchObject([{ namespace: "x", project: "p", domain: "d", rule: "template", reason }]);
  const { text } = await fetchText(webhook.ports.metrics, "/metrics");
  expect(text).toContain('flyte_secrets_refused_claims_total{outcome="warned",rule="template"} 3\n');
});

it("gives each admission a span: what injected, from where, whether from memory, and no value", async () => {
  const collector = await startCollector();
  const { target, webhook } = await start({
    tracing: { type: "otlphttp", otlphttp: { endpoint: collector.url } },
  });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const pod = JSON.stringify(podReview(taskPod([ask("password"), ask("url", { group: "db" })])));
  const headers = { "content-type": "application/json", traceparent };
  await send(target, pod, { headers });
  await send(target, pod, { headers });
  await review(target, podReview(taskPod([])));
  await review(target, podReview(taskPod([ask("absent")])));
  await webhook.close({ graceMs: 0 });
  const spans = collector.spans();
  expect(spans.map(({ attributes }) => attributes)).toEqual([
    {
      "flyte.secrets.outcome": "changed",
      "flyte.secrets.injectors": ["Embedded", "Global"],
      "flyte.secrets.provider": "Store",
      "flyte.secrets.cache_hit": false,
    },
    {
      "flyte.secrets.outcome": "changed",
      "flyte.secrets.injectors": ["Embedded", "Global"],
      "flyte.secrets.provider": "Store",
      "flyte.secrets.cache_hit": true,
    },
    { "flyte.secrets.outcome": "unchanged", "flyte.secrets.injectors": [] },
    {
      "flyte.secrets.outcome": "rejected",
      "flyte.secrets.code": "not_injected",
      "flyte.secrets.provider": "Store",
      "flyte.secrets.cache_hit": false,
    },
  ]);
  expect(spans.map(({ service, name, status }) => [service, name, status])).toEqual(
    Array(4).fill(["executor", "admission", 0]),
  );
  expect(spans[0]).toMatchObject({ traceId: "0af7651916cd43dd8448eb211c80319c", parentSpanId: "b7ad6b7169203331" });
  expect(collector.received()).not.toContain(CANARY);
});

function isRefused(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const refused = new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(false)).once("error", () => resolve(true));
  });
  return refused.finally(() => socket.destroy());
}

it("image-pull Secrets without a cluster to copy them in are a setting that can't be honoured", async () => {
  const home = createTemporaryDirectory();
  const options = webhookOptions(home, { admission: { delivery: "Inline" }, writer: { imagePullNamespace: "flyte" } });
  await expect(startWebhook(options, { home, env: {}, log: pino({ enabled: false }) })).rejects.toMatchObject({
    code: "invalid_config",
    message: expect.stringMatching(/^webhook\.embeddedSecretManagerConfig\.imagePullSecrets\.enabled copies Secrets/),
  });
});

it("a review that is in flight when it is closed is answered, with the Secret that it needs written", async () => {
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
  const options = webhookOptions(directory, { cluster: clusterSettings(kubeconfig), registration: {} });
  const webhook = await startWebhook(options, { home, env: {}, log: pino({ enabled: false }) });
  onTestFinished(() => webhook.close({ graceMs: 0 }));
  const read = (name: string) => cluster.api.read(name) as { data?: Record<string, string> } | undefined;
  const ca = Buffer.from(read("flyte-pod-webhook")?.data?.["ca.crt"] ?? "", "base64").toString();

  const { waiting, release } = cluster.hold("POST /api/v1/namespaces/p-d/secrets");
  const target = { port: webhook.ports.admission ?? 0, ca };
  const answer = review(target, podReview(taskPod([ask("k")])), { servername: "flyte-pod-webhook" });
  await vi.waitFor(() => expect(waiting()).toBe(1), 60_000);
  const closed = webhook.close({ graceMs: 0 });
  // Closing has come as far as it does while the review is in flight: to the port.
  await vi.waitUntil(() => isRefused(target.port), { timeout: 60_000 });
  release();
  expect(await answer).toMatchObject({ response: { allowed: true, patch: expect.any(String) } });
  expect(cluster.api.writes.filter(({ metadata }) => metadata.name.startsWith("flyte-secrets-"))).toHaveLength(1);
  await closed;
});
