import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { INJECT_LABEL, MountRequirement, toRequestAnnotations } from "@flyte-secrets/core";
import { vi } from "vitest";
import { type Cluster, freePort, startCluster } from "../kubernetes/cluster.ts";
import { type ProgramResult, runProgram } from "../support/run-program.ts";
import { CHART, helm } from "./helm.ts";
import { type InstalledComponent, startInstalled } from "./installed-component.ts";

const COMMAND = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");
const TOKEN = randomBytes(32).toString("hex");

/** The Secret of the webhook's certificate, as the chart names it. */
export const CERTIFICATE = "flyte-secrets-webhook-secret";

/** Values by which the webhook may write Secrets in these namespaces; none are all. */
export const writingIn = (...namespaces: readonly string[]) => ({
  configuration: { inline: { webhook: { writtenSecrets: { namespaces } } } },
});

const TLS = "secret.server.tls.secretName";

const IMAGE_PULL = "kubernetes.io/dockerconfigjson";

/** What comes and goes without anybody installing it. */
const TRANSIENT = /^(events|leases|endpointslices|apiservices|flowschemas)\b/;

/**
 * A cluster to install into: release `flyte-secrets` in namespace `flyte`, where the Secret with the service's token
 * is.
 */
export interface InstallationSite {
  readonly cluster: Cluster;
  install(values?: object): Promise<void>;
  /** By server-side apply as Helm 4 does it, or by patches as Helm 3 does. */
  upgrade(values: object, by?: "server" | "patch"): Promise<void>;
  /** To the revision of this number. */
  rollback(revision: number): Promise<void>;
  /** Installs or upgrades without Helm, and so without its `lookup`: `helm template | kubectl apply`. */
  apply(values: object): Promise<void>;
  uninstall(): Promise<void>;
  /** What is there beyond what was there before anything was installed, as `KIND NAMESPACE NAME`. */
  objects(): Promise<string[]>;
  /** Runs the webhook as it is installed; ready when this resolves. */
  startWebhook(): Promise<InstalledComponent>;
  /**
   * As {@link InstallationSite.startWebhook}, and resolves before it is ready: with what tells `/readyz`'s status and
   * text.
   */
  beginWebhook(): Promise<() => Promise<string>>;
  /**
   * Runs the service as it is installed, but over plain HTTP, and gives the command of a user who has its address and
   * token.
   */
  startService(): Promise<(args: readonly string[], input?: string) => Promise<string>>;
  /** Runs the service as it is installed, TLS included, and gives its address. */
  startServiceWithTls(): Promise<string>;
  /** As {@link InstallationSite.startService}, but like {@link InstallationSite.beginWebhook}. */
  beginService(): Promise<() => Promise<string>>;
  /** Runs the command as an administrator of the cluster, whatever its exit code. */
  administer(args: readonly string[]): Promise<ProgramResult>;
  /** Creates a pod of project shop, domain development, that asks for `api-key`, and gives what it has then. */
  createPod(namespace: string): Promise<CreatedPod>;
  /** Waits until the API server sends pods of a namespace to the webhook: it hears of a registration a moment later. */
  untilAdmitted(namespace: string): Promise<void>;
  /** Whether an account of the chart may do it, as `yes: get secrets -n flyte`. */
  may(account: string, question: string): Promise<string>;
  /** What `doctor --cluster` has to say of a component, as it is installed. */
  diagnose(component: "service" | "webhook"): Promise<string>;
  /** What the components that run have printed so far. */
  printed(): string;
  /** What the API server has refused to accounts of the chart since the last {@link InstallationSite.clear}. */
  refusals(): string[];
  /** Ends what was started, and deletes all pods. */
  stop(): Promise<void>;
  /** As {@link InstallationSite.stop}; then uninstalls, and deletes all secrets of users. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export interface CreatedPod {
  /** The variables of its container. */
  readonly env?: readonly object[];
  readonly imagePullSecrets?: readonly { readonly name: string }[];
}

export async function startInstallationSite(...namespaces: readonly string[]): Promise<InstallationSite> {
  const cluster = await startCluster();
  const kubeconfig = cluster.adminKubeconfig;
  for (const namespace of ["flyte", ...namespaces]) await cluster.kubectl(["create", "namespace", namespace]);
  const token = ["create", "secret", "generic", "flyte-secrets-token", "-n", "flyte", `--from-literal=token=${TOKEN}`];
  await cluster.kubectl(token);
  let running: InstalledComponent[] = [];
  const invalidationPort = await freePort();
  let pods = 0;

  async function inventory(): Promise<string[]> {
    const kinds = await cluster.kubectl(["api-resources", "--verbs=list", "-o", "name"]);
    const listed = kinds.split("\n").filter((kind) => kind !== "" && !TRANSIENT.test(kind));
    const columns = "custom-columns=K:.kind,NS:.metadata.namespace,N:.metadata.name";
    const found = await cluster.kubectl(["get", listed.join(","), "-A", "--no-headers", "-o", columns]);
    const objects = found.split("\n").map((line) => line.trim().replaceAll(/\s+/g, " "));
    return objects.filter((object) => object !== "").toSorted();
  }
  const bare = await inventory();

  const deploy = async (verb: string, values: object, ...flags: string[]) => {
    await helm([verb, "flyte-secrets", CHART, "--namespace", "flyte", ...flags], { values, kubeconfig });
  };
  async function start(name: string, flags: Readonly<Record<string, string>>): Promise<InstalledComponent> {
    const component = await startInstalled(cluster, name, { namespace: "flyte", ...flags });
    running.push(component);
    return component;
  }
  const stop = async () => {
    await Promise.all(running.map((component) => component.stop()));
    running = [];
    await cluster.kubectl(["delete", "pods", "--all", "-A", "--force", "--grace-period=0"]);
  };
  const audited = () => cluster.audited("flyte:flyte-secrets-");
  let auditedBefore = 0;

  const createPod: InstallationSite["createPod"] = async (namespace) => {
    pods += 1;
    const labels = { [INJECT_LABEL]: "true", organization: "flyte", project: "shop", domain: "development" };
    const mountRequirement = MountRequirement.ENV_VAR;
    const asked = { group: "", groupVersion: "", key: "api-key", mountRequirement, envVar: "KEY" };
    const metadata = { name: `train-${pods}`, namespace, labels, annotations: toRequestAnnotations([asked]) };
    const pod = { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "main", image: "train" }] } };
    const created = JSON.parse(await cluster.kubectl(["create", "-f", "-", "-o", "json"], JSON.stringify(pod)));
    return { env: created.spec.containers[0].env, imagePullSecrets: created.spec.imagePullSecrets };
  };

  async function runWebhook(): Promise<{ readonly webhook: InstalledComponent; readonly readyz: string }> {
    const port = await freePort();
    // The API server of the harness reaches no Service, so the registration has this machine's address.
    const webhook = await start("flyte-secrets-webhook", {
      "webhook.listenPort": String(port),
      "webhook.url": `https://127.0.0.1:${port}/mutate--v1-pod`,
      "webhook.cacheInvalidationPort": String(invalidationPort),
      "executor.healthProbeBindAddress": "127.0.0.1:0",
      "executor.metricsBindAddress": "",
    });
    return { webhook, readyz: `http://127.0.0.1:${/^Probes on port +(\d+)/m.exec(webhook.output())?.[1]}/readyz` };
  }
  async function runService(flags: Readonly<Record<string, string>> = { [TLS]: "" }): Promise<string> {
    const service = await start("flyte-secrets-service", {
      ...flags,
      "secret.server.port": "0",
      "secret.server.probeBindAddress": "",
      "secret.server.metricsBindAddress": "",
      "secret.webhookURL": `http://127.0.0.1:${invalidationPort}`,
    });
    return /^Listening on (\S+)/m.exec(service.output())?.[1] ?? "";
  }
  const isReady = (readyz: string) =>
    vi.waitUntil(async () => (await fetch(readyz)).ok, { timeout: 30_000, interval: 100 });
  const readinessOf = (readyz: string) => async () => {
    const response = await fetch(readyz);
    return `${response.status} ${await response.text()}`;
  };

  return {
    cluster,
    install: (values = {}) => deploy("install", values),
    upgrade: (values, by = "server") => deploy("upgrade", values, `--server-side=${by === "server"}`),
    async rollback(revision) {
      await helm(["rollback", "flyte-secrets", String(revision), "--namespace", "flyte"], { kubeconfig });
    },
    async apply(values) {
      const manifests = await helm(["template", "flyte-secrets", CHART, "--namespace", "flyte"], { values });
      await cluster.kubectl(["apply", "--server-side", "-f", "-"], manifests);
    },
    async uninstall() {
      await helm(["uninstall", "flyte-secrets", "--namespace", "flyte"], { kubeconfig });
    },
    objects: async () => (await inventory()).filter((object) => !bare.includes(object)),
    async startWebhook() {
      const { webhook, readyz } = await runWebhook();
      await isReady(readyz);
      return webhook;
    },
    beginWebhook: async () => readinessOf((await runWebhook()).readyz),
    async startService() {
      const endpoint = await runService();
      await isReady(`${endpoint}/readyz`);
      return async (args, input = "") => {
        const options = { env: { HOME: cluster.directory, FLYTE_SECRETS_TOKEN: TOKEN }, input };
        const result = await runProgram(process.execPath, [COMMAND, ...args, "--endpoint", endpoint], options);
        if (result.exitCode !== 0) throw new Error(result.stderr);
        return result.stdout;
      };
    },
    startServiceWithTls: () => runService({}),
    beginService: async () => readinessOf(`${await runService()}/readyz`),
    administer(args) {
      const given = [COMMAND, ...args, `--secret.kubernetes.kubeconfig=${kubeconfig}`];
      return runProgram(process.execPath, given, { env: { HOME: cluster.directory } });
    },
    createPod,
    async untilAdmitted(namespace) {
      const isMutated = async () => (await createPod(namespace)).env !== undefined;
      await vi.waitUntil(isMutated, { timeout: 20_000, interval: 200 });
    },
    async may(account, question) {
      const as = `--as=system:serviceaccount:flyte:${account}`;
      // It fails where the answer is no.
      const asked = cluster.kubectl(["auth", "can-i", "-q", as, ...question.split(" ")]);
      return `${await asked.then(
        () => "yes",
        () => "no",
      )}: ${question}`;
    },
    async diagnose(component) {
      const name = `flyte-secrets-${component}`;
      const found = await cluster.kubectl(["get", "configmap", name, "-n", "flyte", "-o", "json"]);
      const file = join(cluster.directory, "diagnosed.yaml");
      writeFileSync(file, JSON.parse(found).data["config.yaml"]);
      const asked = ["--cluster", "--for", component, "--as", `system:serviceaccount:flyte:${name}`, "-c", file];
      const args = [COMMAND, "doctor", ...asked, `--secret.kubernetes.kubeconfig=${kubeconfig}`];
      return (await runProgram(process.execPath, args, { env: { HOME: cluster.directory } })).stdout;
    },
    printed: () => running.map((component) => component.output()).join(""),
    refusals: () =>
      audited()
        .slice(auditedBefore)
        .filter(({ responseStatus }) => responseStatus?.code === 403)
        .map(({ verb, objectRef }) => `${verb} ${objectRef?.resource} ${objectRef?.name}`),
    stop,
    async clear() {
      await stop();
      await helm(["uninstall", "flyte-secrets", "--namespace", "flyte", "--ignore-not-found"], { kubeconfig });
      const users = ["-l app.flyte.org/managed", "-l app.flyte.org/managed-by", `--field-selector type=${IMAGE_PULL}`];
      for (const which of users) await cluster.kubectl(["delete", "secrets", "-A", ...which.split(" ")]);
      auditedBefore = audited().length;
    },
    async close() {
      await stop();
      await cluster.close();
    },
  };
}
