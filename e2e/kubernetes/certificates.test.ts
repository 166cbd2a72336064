import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import {
  type CertificateSource,
  certificateNames,
  createSecretStorage,
  openCertificateSource,
  openSelfSignedSource,
} from "@flyte-secrets/certificates";
import { toWebhookOptions } from "@flyte-secrets/cli/configured";
import { loadConfig } from "@flyte-secrets/config";
import { type Clock, MountRequirement, SecretValue, systemClock, toRequestAnnotations } from "@flyte-secrets/core";
import { createLogger } from "@flyte-secrets/http";
import { createKubeClient, type KubeClient, loadClusterConnection, SECRETS } from "@flyte-secrets/kube";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { reconcileRegistration, startWebhook, WEBHOOK_CONFIGURATIONS } from "@flyte-secrets/webhook";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";

const NAMESPACE = "flyte";
const NAMES = certificateNames({ name: "hook", namespace: NAMESPACE }, "https://127.0.0.1");
const DAY_MS = 86_400_000;
/** A year in which two thirds have passed by this. */
const RENEWAL_DAYS = 250;

/** A clock that can be put ahead, and whose delays, meant for real clusters, are 20 times shorter. */
function createFastClock(): Clock & { daysAhead: number } {
  const clock = {
    daysAhead: 0,
    now: () => systemClock.now() + clock.daysAhead * DAY_MS,
    elapsed: () => systemClock.elapsed(),
    after: (delayMs: number, callback: () => void) => systemClock.after(delayMs / 20, callback),
  };
  return clock;
}

const REQUEST = { key: "password", group: "", groupVersion: "", mountRequirement: MountRequirement.ANY, envVar: "" };

const log = createLogger({
  level: "warn",
  mute: process.env.SHOW_LOG !== "true",
  "show-source": false,
  formatter: { type: "json" },
});

describeWith(requireKubernetes(), "the webhook's certificate and registration on a real API server", () => {
  let cluster: Cluster;
  let kubeconfig: string;

  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.kubectl(["create", "namespace", NAMESPACE]);
    kubeconfig = await cluster.createAccount({
      namespace: NAMESPACE,
      name: "webhook",
      rules: [
        { apiGroups: [""], resources: ["secrets"], verbs: ["create", "get", "list", "watch", "update", "delete"] },
        {
          apiGroups: ["admissionregistration.k8s.io"],
          resources: ["mutatingwebhookconfigurations"],
          verbs: ["create", "get", "list", "patch", "update", "watch"],
        },
      ],
    });
  });
  afterAll(() => cluster?.close());

  function connect(): KubeClient {
    const connection = loadClusterConnection({ kubeconfig, env: {}, home: "/nowhere", clock: systemClock });
    const client = createKubeClient({ connection, qps: 100, burst: 100, timeoutMs: 30_000, clock: systemClock });
    onTestFinished(() => client.close());
    return client;
  }

  async function openSource(secretName: string, clock: Clock = createFastClock()) {
    const settings = { certDir: "/nowhere", localCert: false, secretName };
    const home = { client: connect(), namespace: NAMESPACE };
    const source = await openCertificateSource({ settings, names: NAMES, home, clock, log });
    onTestFinished(() => source.close());
    return source;
  }

  const readSecret = async (name: string) => {
    const secret = await connect().get(SECRETS, { namespace: NAMESPACE, name });
    if (secret === undefined) throw new Error(`no Secret ${name}`);
    const text = (key: string) => Buffer.from(secret.data?.[key] ?? "", "base64").toString();
    return { secret, certificate: { cert: text("tls.crt"), key: text("tls.key"), ca: text("ca.crt") } };
  };

  /** A Secret as Flyte leaves it: immutable, with no label of ours. */
  async function leaveFlytesSecret(name: string) {
    await openSource(`${name}-made`);
    const { secret } = await readSecret(`${name}-made`);
    const metadata = { namespace: NAMESPACE, name };
    await connect().create(SECRETS, { ...secret, immutable: true, metadata });
    return readSecret(name);
  }

  test("two replicas that make their certificate at once agree on one, twenty times", async () => {
    for (let round = 0; round < 20; round++) {
      const name = `race-${round}`;
      const replicas = await Promise.all([openSource(name), openSource(name)]);
      const { secret, certificate } = await readSecret(name);
      expect(replicas.map((replica) => replica.current())).toEqual([certificate, certificate]);
      expect({ type: secret.type, immutable: secret.immutable, keys: Object.keys(secret.data ?? {}) }).toEqual({
        type: "Opaque",
        immutable: undefined,
        keys: ["ca.crt", "tls.crt", "tls.key"],
      });
    }
  });

  test("Flyte's immutable Secret is used as it is while it is valid", async () => {
    const { secret, certificate } = await leaveFlytesSecret("flytes-valid");
    const source = await openSource("flytes-valid");
    expect(source.current()).toEqual(certificate);
    expect((await readSecret("flytes-valid")).secret).toEqual(secret);
  });

  test("two replicas that replace Flyte's immutable Secret at once agree on one of ours", async () => {
    for (let round = 0; round < 5; round++) {
      const name = `flytes-due-${round}`;
      const { certificate: old } = await leaveFlytesSecret(name);
      const clock = createFastClock();
      clock.daysAhead = RENEWAL_DAYS;
      const replicas = await Promise.all([openSource(name, clock), openSource(name, clock)]);
      const { secret, certificate } = await readSecret(name);
      expect(secret.immutable).toBeUndefined();
      expect(certificate.cert).not.toBe(old.cert);
      expect(replicas.map((replica) => replica.current().cert)).toEqual([certificate.cert, certificate.cert]);
    }
  });

  test("an empty Secret is filled, a damaged one is replaced, and somebody else's is left alone", async () => {
    const client = connect();
    const create = (name: string, more: object) =>
      client.create(SECRETS, { apiVersion: "v1", kind: "Secret", metadata: { namespace: NAMESPACE, name }, ...more });
    await create("empty", {});
    expect((await openSource("empty")).current()).toEqual((await readSecret("empty")).certificate);

    await openSource("damaged");
    const patch = { data: { "tls.key": Buffer.from("no key").toString("base64") } };
    await cluster.kubectl(["patch", "secret", "damaged", "-n", NAMESPACE, "-p", JSON.stringify(patch)]);
    expect((await openSource("damaged")).current()).toEqual((await readSecret("damaged")).certificate);

    await create("foreign", { data: { "tls.crt": Buffer.from("of somebody").toString("base64") } });
    await expect(openSource("foreign")).rejects.toMatchObject({ code: "call_refused" });
  });

  test("a renewal reaches the other replicas: first both CAs, then the new certificate", async () => {
    const clock = createFastClock();
    const other = await openSource("renewed", clock);
    const old = other.current();
    const seen: number[] = [];
    other.onChange(() => seen.push(other.current().ca.match(/BEGIN/g)?.length ?? 0));
    clock.daysAhead = RENEWAL_DAYS;
    await openSource("renewed", clock);
    await expect.poll(() => other.current().cert, { timeout: 20_000 }).not.toBe(old.cert);
    expect(other.current()).toEqual((await readSecret("renewed")).certificate);
    expect(seen).toEqual([2, 2]);
  });

  test("a Secret that is deleted is put back, with the certificate that is served", async () => {
    const source = await openSource("deleted");
    await cluster.kubectl(["delete", "secret", "deleted", "-n", NAMESPACE]);
    await expect.poll(() => readSecret("deleted").catch(() => undefined), { timeout: 20_000 }).toBeDefined();
    expect((await readSecret("deleted")).certificate).toEqual(source.current());
  });

  /** Keeps a registration of that name, which calls a port of this machine. */
  function register(options: { name: string; source: CertificateSource; port: number }) {
    const { name, source: certificates, port } = options;
    const registration = reconcileRegistration({
      client: connect(),
      settings: {
        name,
        address: { url: `https://127.0.0.1:${port}/mutate--v1-pod` },
        timeoutSeconds: 10,
        failurePolicy: "Fail",
        namespaceSelector: null,
        objectSelector: null,
        matchConditions: [],
      },
      certificates,
      clock: createFastClock(),
      log,
    });
    onTestFinished(async () => {
      await registration.close();
      await cluster.kubectl(["delete", "mutatingwebhookconfiguration", name]);
    });
    return registration;
  }
  const readRegistration = async (name: string) => {
    const found = await connect().get(WEBHOOK_CONFIGURATIONS, { name });
    return { found, own: found?.webhooks?.find((webhook) => webhook.name === "flyte-pod-webhook.flyte.org") };
  };

  test("the registration is made as Flyte makes it, is ready once it carries the CA, and comes back when it is deleted", async () => {
    const source = await openSource("registered");
    const registration = register({ name: "registered", source, port: 9 });
    expect(registration.missing()).toMatch(/^MutatingWebhookConfiguration registered does not carry the CA/);
    await expect.poll(registration.missing, { timeout: 20_000 }).toBeUndefined();
    const { own } = await readRegistration("registered");
    expect(own).toEqual({
      name: "flyte-pod-webhook.flyte.org",
      clientConfig: {
        url: "https://127.0.0.1:9/mutate--v1-pod",
        caBundle: Buffer.from(source.current().ca).toString("base64"),
      },
      rules: [{ operations: ["CREATE"], apiGroups: ["*"], apiVersions: ["v1"], resources: ["pods"], scope: "*" }],
      failurePolicy: "Fail",
      matchPolicy: "Equivalent",
      namespaceSelector: {},
      objectSelector: { matchLabels: { "inject-flyte-secrets": "true" } },
      sideEffects: "NoneOnDryRun",
      timeoutSeconds: 10,
      admissionReviewVersions: ["v1", "v1beta1"],
      reinvocationPolicy: "IfNeeded",
    });
    await cluster.kubectl(["delete", "mutatingwebhookconfiguration", "registered"]);
    await expect.poll(async () => (await readRegistration("registered")).own, { timeout: 20_000 }).toEqual(own);
  });

  test("what others add to the registration survives, what they take from it comes back", async () => {
    const source = await openSource("shared");
    const registration = register({ name: "shared", source, port: 9 });
    await expect.poll(registration.missing, { timeout: 20_000 }).toBeUndefined();
    const { own } = await readRegistration("shared");
    const exception = { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system"] };
    const condition = { name: "not-nodes", expression: "request.userInfo.username != 'node'" };
    const foreign = {
      metadata: { labels: { team: "platform" } },
      webhooks: [
        {
          ...own,
          clientConfig: { url: "https://127.0.0.1:9/elsewhere", caBundle: "" },
          matchConditions: [condition],
          namespaceSelector: { matchExpressions: [exception] },
          objectSelector: { matchLabels: { more: "yes" } },
          failurePolicy: "Ignore",
        },
        { ...own, name: "other.example.com", objectSelector: { matchLabels: { other: "yes" } } },
      ],
    };
    await cluster.kubectl([
      "patch",
      "mutatingwebhookconfiguration",
      "shared",
      "--type=merge",
      "-p",
      JSON.stringify(foreign),
    ]);
    await expect
      .poll(async () => (await readRegistration("shared")).own?.failurePolicy, { timeout: 20_000 })
      .toBe("Fail");
    const after = await readRegistration("shared");
    expect(after.own).toEqual({
      ...own,
      matchConditions: [condition],
      namespaceSelector: { matchExpressions: [exception] },
      objectSelector: { matchLabels: { more: "yes", "inject-flyte-secrets": "true" } },
    });
    expect(after.found?.metadata.labels).toEqual({ team: "platform" });
    expect(after.found?.webhooks?.map(({ name }) => name)).toEqual([
      "flyte-pod-webhook.flyte.org",
      "other.example.com",
    ]);
    await expect.poll(registration.missing).toBeUndefined();
  });

  test("the API server calls the webhook with our certificate, and misses no pod while that is renewed", async () => {
    const home = mkdtempSync(join(tmpdir(), "flyte-secrets-webhook-"));
    onTestFinished(() => rmSync(home, { recursive: true }));
    const flags = {
      "secret.store.path": join(home, "data"),
      "webhook.embeddedSecretManagerConfig.type": "Store",
      "webhook.embeddedSecretManagerConfig.delivery": "Inline",
      "webhook.scopeBinding.domains": "d",
      "webhook.listenPort": "0",
      "webhook.cacheInvalidationPort": "0",
      "executor.healthProbeBindAddress": "",
      "executor.metricsBindAddress": "",
    };
    const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags, home, cwd: home });
    const store = await openEmbeddedStore({ directory: config.secret.store.path });
    onTestFinished(() => store.close());
    const id = { org: "flyte", domain: "d", project: "p", name: "password" };
    await store.create(id, { value: SecretValue.fromText("hunter2"), type: "generic" });

    const clock = createFastClock();
    const storage = createSecretStorage({ client: connect(), namespace: NAMESPACE, name: "called", clock, log });
    const source = await openSelfSignedSource({ storage, names: NAMES, clock, log });
    onTestFinished(() => source.close());
    const webhook = await startWebhook(toWebhookOptions(config, "flyte"), { log, env: {}, home, certificates: source });
    onTestFinished(() => webhook.close({ graceMs: 0 }));
    // As if API servers were slow to learn of a change, while the new certificate waits for 3 s by the fast clock.
    const late = { ...source, onChange: (hear: () => void) => source.onChange(() => void delay(1500).then(hear)) };
    const registration = register({ name: "called", source: late, port: webhook.ports.admission ?? 0 });
    await expect.poll(registration.missing, { timeout: 20_000 }).toBeUndefined();

    await cluster.kubectl(["create", "namespace", "p-d"]);
    const pod = (name: string) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name,
        namespace: "p-d",
        labels: { "inject-flyte-secrets": "true", organization: "flyte", project: "p", domain: "d" },
        annotations: toRequestAnnotations([REQUEST]),
      },
      spec: { containers: [{ name: "main", image: "busybox" }] },
    });
    const create = async (name: string, ...more: string[]) =>
      JSON.parse(await cluster.kubectl(["create", "-f", "-", "-o", "json", ...more], JSON.stringify(pod(name))));
    // The API server learns of a registration a moment after it is stored.
    await expect
      .poll(async () => (await create("probe", "--dry-run=server")).spec.containers[0].env, { timeout: 20_000 })
      .toBeDefined();
    expect((await create("task")).spec.containers[0].env).toEqual([
      { name: "_UNION_PASSWORD", value: "hunter2" },
      { name: "FLYTE_SECRETS_ENV_PREFIX", value: "_UNION_" },
    ]);

    const before = source.current().cert;
    const failures: string[] = [];
    let rounds = 0;
    let isRenewed = false;
    const admin = createKubeClient({
      connection: loadClusterConnection({
        kubeconfig: cluster.adminKubeconfig,
        env: {},
        home: "/nowhere",
        clock: systemClock,
      }),
      qps: 1000,
      burst: 1000,
      timeoutMs: 30_000,
      clock: systemClock,
    });
    onTestFinished(() => admin.close());
    const PODS = {
      apiVersion: "v1",
      kind: "Pod",
      plural: "pods",
      decode: (value: unknown) => value as ReturnType<typeof pod>,
    };
    /** Does `step` again and again, 20 times a second at the most, until all is over. */
    const repeat = async (step: () => Promise<string | undefined>) => {
      while (!isRenewed) {
        const failure = await step().catch(String);
        if (failure !== undefined) failures.push(failure);
        rounds += 1;
        await delay(50);
      }
    };
    const createPod = async () => {
      const made = await admin.create(PODS, pod("load"), { dryRun: true });
      return JSON.stringify(made).includes("_UNION_PASSWORD") ? undefined : "a pod without its secret";
    };
    // The API server keeps its connections; one that makes a new connection sees the certificate that is served then.
    const shakeHands = async () => {
      const { own } = await readRegistration("called");
      const ca = Buffer.from(own?.clientConfig?.caBundle ?? "", "base64").toString();
      const socket = connectTls({ host: "127.0.0.1", port: webhook.ports.admission, ca });
      await once(socket, "secureConnect").finally(() => socket.destroy());
      return undefined;
    };
    const loads = [repeat(createPod), repeat(shakeHands)];
    await expect.poll(() => rounds, { timeout: 20_000 }).toBeGreaterThan(20);
    await source.renew();
    await expect.poll(() => source.current().cert, { timeout: 60_000 }).not.toBe(before);
    await delay(1000);
    isRenewed = true;
    await Promise.all(loads);
    expect(failures).toEqual([]);
  });
});
