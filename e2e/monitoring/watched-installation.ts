import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { INJECT_LABEL, MountRequirement, systemClock, toRequestAnnotations } from "@flyte-secrets/core";
import { createKubeClient, defineResource, type KubeClient, loadClusterConnection } from "@flyte-secrets/kube";
import { CHART, helm } from "../installation/helm.ts";
import { startInstalled } from "../installation/installed-component.ts";
import { type Cluster, freePort, startCluster } from "../kubernetes/cluster.ts";

const PODS = defineResource({ apiVersion: "v1", kind: "Pod", plural: "pods" });
const TOKEN = randomBytes(32).toString("hex");

/**
 * The chart, installed on a real API server, with two webhooks, a service, and a real Prometheus that reads their
 * metrics every second.
 */
export interface WatchedInstallation extends AsyncDisposable {
  /** Prometheus' address. */
  readonly prometheus: string;
  /** Asks for a pod as a user does; whether it was created. It is deleted again. */
  createPod(namespace: string, key: string, labels?: object): Promise<boolean>;
  /** A call of the service, by its JSON; the HTTP status. */
  call(method: string, message: object, token?: string): Promise<number>;
}

export const NAMESPACES = ["shop-development", "shop-staging", "bank-production", "lab-development"] as const;

/** Starts all of it; it serves when this resolves. */
export async function startWatchedInstallation(): Promise<WatchedInstallation> {
  await using opened = new AsyncDisposableStack();
  const cluster = await startCluster();
  opened.defer(() => cluster.close());
  for (const namespace of ["flyte", ...NAMESPACES]) await cluster.kubectl(["create", "namespace", namespace]);
  const token = ["create", "secret", "generic", "flyte-secrets-token", "-n", "flyte", `--from-literal=token=${TOKEN}`];
  await cluster.kubectl(token);
  const inline = { webhook: { writtenSecrets: { namespaces: NAMESPACES } } };
  const options = { values: { configuration: { inline } }, kubeconfig: cluster.adminKubeconfig };
  await helm(["install", "flyte-secrets", CHART, "--namespace", "flyte"], options);

  const port = await freePort();
  const metrics = [await freePort(), await freePort()] as const;
  for (const [index, metricsPort] of metrics.entries()) {
    const webhook = await startInstalled(cluster, "flyte-secrets-webhook", {
      namespace: "flyte",
      "webhook.listenPort": String(index === 0 ? port : await freePort()),
      "webhook.url": `https://127.0.0.1:${port}/mutate--v1-pod`,
      "webhook.cacheInvalidationPort": "0",
      "executor.healthProbeBindAddress": "127.0.0.1:0",
      "executor.metricsBindAddress": `127.0.0.1:${metricsPort}`,
    });
    opened.defer(() => webhook.stop().then(() => {}));
  }
  const serviceMetrics = await freePort();
  const service = await startInstalled(cluster, "flyte-secrets-service", {
    namespace: "flyte",
    "secret.server.port": "0",
    "secret.server.tls.secretName": "",
    "secret.server.probeBindAddress": "",
    "secret.server.metricsBindAddress": `127.0.0.1:${serviceMetrics}`,
    "secret.webhookURL": "",
  });
  opened.defer(() => service.stop().then(() => {}));
  const endpoint = /^Listening on (\S+)/m.exec(service.output())?.[1] ?? "";

  const prometheus = await startPrometheus(cluster, metrics, serviceMetrics);
  opened.defer(() => stop(prometheus.process));
  const client = connectAsAdmin(cluster);
  opened.defer(() => client.close());
  let pods = 0;
  const running = opened.move();
  return {
    prometheus: prometheus.url,
    async createPod(namespace, key, labels) {
      pods += 1;
      const name = `train-${pods}`;
      try {
        await client.create(PODS, taskPod({ name, namespace, key, ...(labels && { labels }) }));
      } catch {
        return false;
      }
      await client.delete(PODS, { namespace, name });
      return true;
    },
    async call(method, message, credentials = TOKEN) {
      const headers = { "content-type": "application/json", authorization: `Bearer ${credentials}` };
      const url = `${endpoint}/flyteidl2.secret.SecretService/${method}`;
      const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(message) });
      await answer.text();
      return answer.status;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function connectAsAdmin({ adminKubeconfig }: Cluster): KubeClient {
  const clock = systemClock;
  const connection = loadClusterConnection({ kubeconfig: adminKubeconfig, env: {}, home: "/nowhere", clock });
  return createKubeClient({ connection, qps: 1_000, burst: 1_000, timeoutMs: 30_000, clock });
}

interface TaskPod {
  readonly name: string;
  readonly namespace: string;
  readonly key: string;
  readonly labels?: object;
}

function taskPod({ name, namespace, key, labels }: TaskPod) {
  const [project = "", domain = ""] = namespace.split("-");
  const asked = { group: "", groupVersion: "", key, mountRequirement: MountRequirement.ENV_VAR, envVar: "" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      labels: { [INJECT_LABEL]: "true", organization: "flyte", project, domain, ...labels },
      annotations: toRequestAnnotations([asked]),
    },
    spec: { containers: [{ name: "main", image: "train" }] },
  };
}

async function startPrometheus(cluster: Cluster, webhooks: readonly number[], service: number) {
  const port = await freePort();
  const job = (job_name: string, targets: readonly string[], rest: object) => ({
    job_name,
    ...rest,
    static_configs: targets.map((target, index) => ({
      targets: [target],
      labels: { namespace: "flyte", pod: `${job_name.replace("flyte-secrets-", "")}-${index}` },
    })),
  });
  const webhook = { scheme: "https", tls_config: { insecure_skip_verify: true } };
  const config = {
    global: { scrape_interval: "1s", evaluation_interval: "5s" },
    rule_files: [join(CHART, "files/alerts.yaml")],
    scrape_configs: [
      job(
        "flyte-secrets-webhook",
        webhooks.map((each) => `127.0.0.1:${each}`),
        webhook,
      ),
      job("flyte-secrets-service", [`127.0.0.1:${service}`], {}),
    ],
  };
  const file = join(cluster.directory, "prometheus.yml");
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  const data = join(cluster.directory, "prometheus");
  const address = `127.0.0.1:${port}`;
  const args = [`--config.file=${file}`, `--storage.tsdb.path=${data}`, `--web.listen-address=${address}`];
  const process = spawn("prometheus", args, { stdio: "ignore" });
  const url = `http://${address}`;
  while (!(await fetch(`${url}/-/ready`).catch(() => undefined))?.ok) {
    if (process.exitCode !== null) throw new Error(`prometheus ended with ${process.exitCode}`);
    await delay(100);
  }
  return { process, url };
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}
