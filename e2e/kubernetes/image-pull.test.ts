import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { imagePullSecretName, type SecretId, SecretValue, systemClock } from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";
import { type KubernetesStore, openKubernetesStore } from "@flyte-secrets/store";
import { sweepSecrets, watchDeliveredSecrets } from "@flyte-secrets/webhook";
import { ask, taskPod } from "@flyte-secrets/webhook/testing";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";
import { connect, log } from "./store-fixture.ts";
import { type RegisteredWebhook, startRegisteredWebhook } from "./webhook-process.ts";

const SOURCE = "flyte";
/** The webhook may write to the first; its settings list the first two. */
const [NAMESPACE, CLOSED, UNLISTED] = ["p-d", "closed", "unlisted"] as const;
const REGISTRY: SecretId = { org: "flyte", domain: "", project: "", name: "registry" };
const NAME = imagePullSecretName(REGISTRY);
const HOUR_MS = 3_600_000;

const configOf = (password: string) => {
  const auth = Buffer.from(`user:${password}`).toString("base64");
  return JSON.stringify({ auths: { "registry.example.com": { auth } } });
};
const dataOf = (password: string) => ({ ".dockerconfigjson": Buffer.from(configOf(password)).toString("base64") });

describeWith(requireKubernetes(), "image-pull Secrets on a real API server", () => {
  let cluster: Cluster;
  let store: KubernetesStore;
  let webhook: RegisteredWebhook;
  let kubeconfig: string;
  let pods = 0;

  beforeAll(async () => {
    cluster = await startCluster();
    for (const namespace of [SOURCE, NAMESPACE, CLOSED, UNLISTED]) {
      await cluster.kubectl(["create", "namespace", namespace]);
    }
    const place = { namespace: SOURCE, imagePullNamespace: SOURCE, clusterName: "one" };
    store = await openKubernetesStore({ client: connect(cluster.adminKubeconfig), ...place, clock: systemClock, log });

    // What docs/webhook.md says for a list of namespaces.
    const registrations = { apiGroups: ["admissionregistration.k8s.io"], resources: ["mutatingwebhookconfigurations"] };
    const rules = [{ ...registrations, verbs: ["create", "get", "list", "patch", "update", "watch"] }];
    kubeconfig = await cluster.createAccount({ namespace: SOURCE, name: "webhook", rules });
    await grant(SOURCE, "own", "secrets", "create,get,list,watch,update");
    await grant(NAMESPACE, "write", "secrets", "create,get,list,watch,patch,delete");
    await grant(NAMESPACE, "see", "pods", "list");
    await grant(CLOSED, "look", "secrets", "get,list,watch");
    webhook = await start("webhook", "NotIn");
    await store.create({ ...REGISTRY, name: "plain" }, { value: SecretValue.fromText("v"), type: "generic" });
    const isMutated = async () => JSON.stringify(await create("plain", {}, "--dry-run=server")).includes("_UNION_");
    await vi.waitUntil(isMutated, { timeout: 20_000, interval: 100 });
  });
  afterAll(async () => {
    await webhook?.stop();
    await store?.close();
    await cluster?.close();
  });
  beforeEach(async () => {
    await cluster.kubectl(["delete", "pods", "--all", "-n", NAMESPACE, "--force", "--grace-period=0"]);
    await cluster.kubectl(["delete", "secrets", "--all", "-n", NAMESPACE]);
    if ((await store.get(REGISTRY)) !== undefined) await store.delete(REGISTRY);
  });

  /** With the namespaces that may not be written to, or all but those. */
  function start(name: string, operator: "In" | "NotIn", settings: Readonly<Record<string, string>> = {}) {
    const key = "kubernetes.io/metadata.name";
    return startRegisteredWebhook(kubeconfig, {
      name,
      "webhook.namespaceSelector": JSON.stringify({
        matchExpressions: [{ key, operator, values: [CLOSED, UNLISTED] }],
      }),
      "webhook.embeddedSecretManagerConfig.imagePullSecrets.enabled": "true",
      "webhook.scopeBinding.trustedNamespaces": [SOURCE, CLOSED, UNLISTED].join(","),
      "webhook.writtenSecrets.namespaces": [NAMESPACE, CLOSED].join(","),
      // So long that its sweeper asks for nothing meanwhile.
      "webhook.writtenSecrets.unnamedFor": "1h",
      ...settings,
    });
  }

  async function grant(namespace: string, role: string, resource: string, verbs: string): Promise<void> {
    await cluster.kubectl(["create", "role", role, "-n", namespace, `--resource=${resource}`, `--verb=${verbs}`]);
    const subject = `--serviceaccount=${SOURCE}:webhook`;
    await cluster.kubectl(["create", "rolebinding", role, "-n", namespace, `--role=${role}`, subject]);
  }

  /** A pod that asks for a secret; what is stored of it. */
  async function create(
    key: string,
    { namespace = NAMESPACE }: { namespace?: string } = {},
    ...flags: string[]
  ): Promise<{ metadata: { name: string }; spec: { imagePullSecrets?: object[] } }> {
    const pod = taskPod([ask(key)]);
    const metadata = { ...pod.metadata, namespace, name: `pod-${++pods}` };
    const args = ["create", "-o", "json", ...flags, "-f", "-"];
    return JSON.parse(await cluster.kubectl(args, JSON.stringify({ ...pod, metadata })));
  }

  const keep = (password: string) =>
    store.create(REGISTRY, { value: SecretValue.fromText(configOf(password)), type: "image_pull" });

  async function copies(): Promise<KubeSecret[]> {
    const selected = ["get", "secrets", "-n", NAMESPACE, "-l", `app.flyte.org/copied-from=${SOURCE}`, "-o", "json"];
    return JSON.parse(await cluster.kubectl(selected)).items;
  }
  const dataOfCopies = async () => (await copies()).map(({ data }) => data);

  /** The webhook hears of a Secret a moment after its writer. */
  async function untilNamed(key: string): Promise<void> {
    const isNamed = async () => (await create(key, {}, "--dry-run=server")).spec.imagePullSecrets !== undefined;
    await vi.waitUntil(isNamed, { timeout: 10_000, interval: 50 });
  }

  /** What the audit log has of the webhook's own calls for Secrets, but for watches. */
  const callsOfWebhook = () =>
    cluster
      .audited("flyte:webhook")
      .filter(({ verb, objectRef }) => verb !== "watch" && objectRef?.resource === "secrets")
      .map(({ verb, objectRef }) => `${verb} ${objectRef?.namespace}/${objectRef?.name ?? ""}`);

  test("a pod is stored with a reference to a copy that is there, once for all pods, and none on a dry run", async () => {
    await keep("one");
    await untilNamed("registry");
    expect(await copies()).toEqual([]);
    const pod = await create("registry");
    expect(pod.spec.imagePullSecrets).toEqual([{ name: NAME }]);
    expect(await copies()).toEqual([
      expect.objectContaining({ type: "kubernetes.io/dockerconfigjson", data: dataOf("one") }),
    ]);
    expect((await copies())[0]?.metadata).toMatchObject({
      name: NAME,
      labels: { "union.ai/secret-name": "registry", "app.flyte.org/managed-by": "flyte-secrets-webhook" },
    });
    const before = callsOfWebhook();
    expect(before).toContain(`create ${NAMESPACE}/${NAME}`);
    for (let next = 0; next < 5; next++) await create("registry");
    expect(callsOfWebhook().slice(before.length)).toEqual([]);
  });

  test("a secret without one adds nothing", async () => {
    const pod = await create("plain");
    expect(pod.spec.imagePullSecrets).toBeUndefined();
    expect(await copies()).toEqual([]);
  });

  test("a copy follows its source, is written again where somebody deleted it, and goes with its source", async () => {
    await keep("one");
    await untilNamed("registry");
    await create("registry");
    await store.update(REGISTRY, SecretValue.fromText(configOf("two")));
    await expect.poll(dataOfCopies, { timeout: 10_000 }).toEqual([dataOf("two")]);
    await cluster.kubectl(["delete", "secret", NAME, "-n", NAMESPACE]);
    await vi.waitUntil(
      async () => {
        await create("registry");
        return (await copies()).length > 0;
      },
      { timeout: 10_000, interval: 100 },
    );
    expect(await dataOfCopies()).toEqual([dataOf("two")]);
    await store.delete(REGISTRY);
    await expect.poll(copies, { timeout: 10_000 }).toEqual([]);
    expect((await create("plain")).spec.imagePullSecrets).toBeUndefined();
  });

  test("two webhooks that follow twenty updates in a row leave the last in the copy", async () => {
    const replica = await start("replica", "In");
    onTestFinished(async () => void (await replica.stop()));
    await keep("0");
    await untilNamed("registry");
    await create("registry");
    for (let update = 1; update <= 20; update++) {
      await store.update(REGISTRY, SecretValue.fromText(configOf(String(update))));
    }
    await expect.poll(dataOfCopies, { timeout: 20_000 }).toEqual([dataOf("20")]);
    expect(webhook.output() + replica.output()).not.toContain("copy cannot follow it");
  });

  test("what kubectl makes beside a project's secret is copied for that project's pods", async () => {
    const id = { org: "flyte", domain: "d", project: "p", name: "own-registry" };
    const name = imagePullSecretName(id);
    await store.create(id, { value: SecretValue.fromText("v"), type: "generic" });
    const made = { apiVersion: "v1", kind: "Secret", type: "kubernetes.io/dockerconfigjson", data: dataOf("own") };
    const metadata = { namespace: SOURCE, name };
    await cluster.kubectl(["create", "-f", "-"], JSON.stringify({ ...made, metadata }));
    await untilNamed("own-registry");
    expect((await create("own-registry")).spec.imagePullSecrets).toEqual([{ name }]);
    expect(await dataOfCopies()).toEqual([dataOf("own")]);
    await cluster.kubectl(["delete", "secret", name, "-n", SOURCE]);
    await expect.poll(copies, { timeout: 10_000 }).toEqual([]);
  });

  test("where it may not be copied to, the pod is refused, and the user of kubectl reads why", async () => {
    await keep("one");
    await untilNamed("registry");
    expect((await create("registry", { namespace: SOURCE })).spec.imagePullSecrets).toEqual([{ name: NAME }]);
    // The value needs no Secret with this delivery, so that it is the copy that is refused.
    const inline = await start("inline", "In", { "webhook.embeddedSecretManagerConfig.delivery": "Inline" });
    onTestFinished(async () => void (await inline.stop()));
    await expect
      .poll(() => create("registry", { namespace: UNLISTED }).catch(String), { timeout: 20_000 })
      .toContain(
        `Image-pull Secret ${NAME} is not copied to namespace ${UNLISTED}, since webhook.writtenSecrets.namespaces doesn't list it.`,
      );
    await expect(create("registry", { namespace: CLOSED })).rejects.toThrow(
      `no permission to create secrets in namespace ${CLOSED}. Grant it`,
    );
  });

  test("a Secret of somebody else's in its place is not touched: the pod is refused unless it pulls the same", async () => {
    await keep("one");
    await untilNamed("registry");
    const type = "kubernetes.io/dockerconfigjson";
    const put = (password: string) => {
      const foreign = { apiVersion: "v1", kind: "Secret", type, metadata: { namespace: NAMESPACE, name: NAME } };
      return cluster.kubectl(["apply", "-f", "-"], JSON.stringify({ ...foreign, data: dataOf(password) }));
    };
    await put("another");
    await expect(create("registry")).rejects.toThrow(
      `Secret ${NAME} in namespace ${NAMESPACE} is in the way: it is no copy of the webhook's, and its content is another. ` +
        `Delete it: kubectl delete secret ${NAME} --namespace ${NAMESPACE}`,
    );
    await put("one");
    expect((await create("registry")).spec.imagePullSecrets).toEqual([{ name: NAME }]);
    await store.delete(REGISTRY);
    expect(await copies()).toEqual([]);
    const left = JSON.parse(await cluster.kubectl(["get", "secret", NAME, "-n", NAMESPACE, "-o", "json"]));
    expect(left.data).toEqual(dataOf("one"));
  });

  test("a copy is collected once no pod pulls with it", async () => {
    await keep("one");
    await untilNamed("registry");
    const pod = await create("registry");
    const sweepAt = async (aheadMs: number) => {
      const client = connect(kubeconfig);
      const written = watchDeliveredSecrets({ client, namespace: NAMESPACE, clock: systemClock, log });
      onTestFinished(async () => {
        await written.close();
        client.close();
      });
      await written.synced;
      const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
      const lifetimes = { unusedMs: HOUR_MS, unnamedMs: HOUR_MS };
      await sweepSecrets({ client, written: [written], lifetimes, clock, log }, new AbortController().signal);
      return (await copies()).map(({ metadata }) => metadata.name);
    };
    expect(await sweepAt(2 * HOUR_MS)).toEqual([NAME]);
    await cluster.kubectl(["delete", "pod", pod.metadata.name, "-n", NAMESPACE, "--force", "--grace-period=0"]);
    // For an hour from when it was seen to be named.
    expect(await sweepAt(2.5 * HOUR_MS)).toEqual([NAME]);
    expect(await sweepAt(4 * HOUR_MS)).toEqual([]);
  });

  test("no credential of a registry is in the pods, the audit log or what the webhook printed", async () => {
    const canary = `canary-${randomBytes(12).toString("hex")}`;
    await keep(canary);
    await untilNamed("registry");
    await create("registry");
    const texts = {
      pods: await cluster.kubectl(["get", "pods", "-A", "-o", "yaml"]),
      audit: readFileSync(cluster.auditLog, "utf8"),
      webhook: webhook.output(),
      secrets: await cluster.kubectl(["get", "secrets", "-n", NAMESPACE, "-o", "yaml"]),
    };
    const forms = [canary, Buffer.from(`user:${canary}`).toString("base64"), dataOf(canary)[".dockerconfigjson"]];
    const leaks = Object.entries(texts).filter(([, text]) => forms.some((form) => text.includes(form)));
    // The search finds what is there.
    expect(leaks.map(([name]) => name)).toEqual(["secrets"]);
  });
});
