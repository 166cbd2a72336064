// Pods that are refused after the webhook, and what they leave: three replicas on a real API server. Letters are those
// of the attack report.
import {
  INJECT_LABEL,
  MountRequirement,
  type SecretRequest,
  SecretValue,
  systemClock,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import { type KubeClient, type KubeSecret, SECRETS } from "@flyte-secrets/kube";
import { type KubernetesStore, openKubernetesStore } from "@flyte-secrets/store";
import { sweepSecrets, watchDeliveredSecrets } from "@flyte-secrets/webhook";
import { ask } from "@flyte-secrets/webhook/testing";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Cluster, requireKubernetes, startCluster } from "../kubernetes/cluster.ts";
import { connect, log } from "../kubernetes/store-fixture.ts";
import { startReplicas, WEBHOOK_NAMESPACE, type WebhookReplicas } from "../kubernetes/webhook-replicas.ts";
import { describeWith } from "../support/requirement.ts";
import { type CreateAnswer, type ObjectCreator, openObjectCreator } from "./create-objects.ts";
import { CHART_LIMIT_MIB, underAttack } from "./under-attack.ts";

const MINUTE_MS = 60_000;
const LIFETIMES = { unusedMs: 60 * MINUTE_MS, unnamedMs: 10 * MINUTE_MS };
const DOMAIN = "development";
const GLOBAL_KEYS = Array.from({ length: 14 }, (_, at) => `global-${at}`);
const MAX_UNNAMED = 30;
const MAX_SECRETS = 60;
const MAX_UNNAMED_BYTES = 2_097_152;

/** By project; the namespace of each is `PROJECT-development`. */
const PROJECTS = ["good", "invalid", "quota", "owners", "many", "big", "alike", "rotating", "earlier", "ending"];
const namespaceOf = (project: string) => `${project}-${DOMAIN}`;

interface PodFields {
  readonly requests?: readonly SecretRequest[];
  readonly metadata?: object;
  /** Another makes the API server refuse the pod after the webhook. */
  readonly containers?: readonly string[];
}

function podOf(project: string, { requests = [], metadata = {}, containers = ["main"] }: PodFields) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: "task-",
      labels: { [INJECT_LABEL]: "true", organization: "flyte", project, domain: DOMAIN },
      annotations: toRequestAnnotations(requests),
      ...metadata,
    },
    spec: { containers: containers.map((name) => ({ name, image: "task" })) },
  };
}

/** Two containers of one name are what only validation finds, which comes after all webhooks. */
const INVALID = ["main", "main"];

describeWith(requireKubernetes(), "pods that are refused after the webhook", () => {
  let cluster: Cluster;
  let client: KubeClient;
  let store: KubernetesStore;
  let webhooks: WebhookReplicas;
  let creator: ObjectCreator;
  /** Has connections of its own: what it waits for is the cluster, not the attack's own queue. */
  let goodCreator: ObjectCreator;

  beforeAll(async () => {
    cluster = await startCluster();
    const namespaces = [WEBHOOK_NAMESPACE, ...PROJECTS.map(namespaceOf)];
    const items = namespaces.map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }));
    await cluster.kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    client = connect(cluster.adminKubeconfig);
    creator = openObjectCreator(cluster);
    goodCreator = openObjectCreator(cluster);
    const place = { namespace: WEBHOOK_NAMESPACE, imagePullNamespace: WEBHOOK_NAMESPACE, clusterName: "one" };
    store = await openKubernetesStore({ client, ...place, clock: systemClock, log });
    // Equal values are Secrets of their own all the same.
    for (const key of GLOBAL_KEYS) await keep("", key, "the same");
    webhooks = await startReplicas(cluster, {
      count: 3,
      "webhook.embeddedSecretManagerConfig.type": "K8s",
      "webhook.writtenSecrets.maxUnnamed": MAX_UNNAMED,
      "webhook.writtenSecrets.maxUnnamedBytes": MAX_UNNAMED_BYTES,
      "webhook.writtenSecrets.maxSecrets": MAX_SECRETS,
    });
    const probe = { requests: [ask("global-0")] };
    const hasSecret = async () => nameOf(await create("good", probe, "dryRun=All")) !== undefined;
    await vi.waitUntil(hasSecret, { timeout: 20_000, interval: 100 });
  });
  afterAll(async () => {
    await webhooks?.close();
    creator?.close();
    goodCreator?.close();
    await store?.close();
    client?.close();
    await cluster?.close();
  });

  /** At project scope, or global. */
  const idOf = (project: string, name: string) => ({ org: "flyte", domain: project && DOMAIN, project, name });
  const keep = (project: string, name: string, text: string) =>
    store.create(idOf(project, name), { value: SecretValue.fromText(text), type: "generic" });

  const create = (project: string, fields: PodFields, query = ""): Promise<CreateAnswer> =>
    (project === "good" ? goodCreator : creator).create(
      `/api/v1/namespaces/${namespaceOf(project)}/pods?${query}`,
      podOf(project, fields),
    );

  /** The Secret that the first variable of a pod refers to. */
  const nameOf = ({ body }: CreateAnswer): string | undefined =>
    body.spec?.containers[0].env?.find(({ valueFrom }: { valueFrom?: unknown }) => valueFrom)?.valueFrom.secretKeyRef
      .name;

  async function written(project: string): Promise<readonly KubeSecret[]> {
    const labelSelector = "app.flyte.org/managed-by=flyte-secrets-webhook";
    return (await client.list(SECRETS, { namespace: namespaceOf(project), labelSelector })).items;
  }
  const writtenNames = async (project: string) =>
    (await written(project)).map(({ metadata }) => metadata.name).toSorted();

  /** As the three replicas do at the same time, so much later. */
  async function sweepAt(aheadMs: number): Promise<void> {
    const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
    const sweep = async () => {
      const follower = watchDeliveredSecrets({ client, namespace: undefined, clock: systemClock, log });
      await follower.synced;
      const options = { client, written: [follower], lifetimes: LIFETIMES, clock, log };
      await sweepSecrets(options, new AbortController().signal);
      await follower.close();
    };
    await Promise.all([sweep(), sweep(), sweep()]);
  }

  /** Of all that no pod may ever be created of, as its controller notes it that isn't here. */
  async function keepQuota(project: string, used: string): Promise<void> {
    const namespace = namespaceOf(project);
    const hard = { pods: "1" };
    const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "pods", namespace }, spec: { hard } };
    await cluster.kubectl(["apply", "-f", "-"], JSON.stringify(quota));
    const status = JSON.stringify({ status: { hard, used: { pods: used } } });
    const args = [
      "patch",
      "resourcequota",
      "pods",
      "-n",
      namespace,
      "--subresource=status",
      "--type=merge",
      "-p",
      status,
    ];
    await cluster.kubectl(args);
  }

  /** How often each status came. */
  function counted(answers: readonly CreateAnswer[]): Record<number, number> {
    const counts: Record<number, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  /** A good client's pod with a secret of its own, which has to be written, and with all global ones. */
  let asked = 0;
  async function askAsGoodClient(): Promise<void> {
    asked += 1;
    const key = `own-${asked % 8}`;
    const { status, body } = await create("good", { requests: [key, ...GLOBAL_KEYS].map((name) => ask(name)) });
    if (status !== 201) throw new Error(`${status}: ${body.message}`);
  }

  /** The good client, and the replica that has most to do with what an attack leaves: each has to know of all. */
  const program = () => ({ pid: webhooks.replicas[0]?.pid ?? 0, ask: askAsGoodClient });

  test("H6: 14 secrets in hundreds of combinations leave 14 Secrets, and none after ten minutes", async () => {
    for (let own = 0; own < 8; own++) await keep("good", `own-${own}`, `own value ${own}`);
    await keepQuota("quota", "1");
    const answers: CreateAnswer[] = [];
    const report = await underAttack(program(), async () => {
      const attempts = Array.from({ length: 600 }, async (_, at) => {
        const combination = (at * 27 + 1) % 2 ** GLOBAL_KEYS.length;
        const keys = GLOBAL_KEYS.filter((_, bit) => (combination >> bit) % 2 === 1);
        const requests = keys.map((key, bit) =>
          ask(key, { mountRequirement: bit % 2 === 0 ? MountRequirement.ENV_VAR : MountRequirement.FILE }),
        );
        const isInvalid = at % 3 > 0;
        const project = isInvalid ? "invalid" : "quota";
        answers.push(await create(project, { requests, ...(isInvalid && { containers: INVALID }) }));
      });
      await Promise.all(attempts);
    });
    const unexpected = answers.filter(({ status }) => status !== 422 && status !== 403);
    expect(unexpected.map(({ body }) => body.message)).toEqual([]);
    expect(counted(answers)).toEqual({ 422: 400, 403: 200 });
    expect(report.failures).toEqual([]);
    // Where each combination had a Secret of its own, there were 600.
    expect(await writtenNames("invalid")).toHaveLength(GLOBAL_KEYS.length);
    expect(await writtenNames("quota")).toHaveLength(GLOBAL_KEYS.length);
    expect(report.peakMib).toBeLessThan(CHART_LIMIT_MIB);

    const good = await writtenNames("good");
    await sweepAt(9 * MINUTE_MS);
    expect(await writtenNames("invalid")).toHaveLength(GLOBAL_KEYS.length);
    await sweepAt(15 * MINUTE_MS);
    expect([await writtenNames("invalid"), await writtenNames("quota")]).toEqual([[], []]);
    // What pods name stays, however long.
    await sweepAt(300 * MINUTE_MS);
    expect(await writtenNames("good")).toEqual(good);
  });

  test("H6: a Job whose pod a quota refused gets its Secret again when it is tried again, and keeps it", async () => {
    await keepQuota("quota", "1");
    await keep("quota", "api-key", "the key");
    const owner = await cluster.kubectl([
      "create",
      "job",
      "train",
      "--image=task",
      "-n",
      namespaceOf("quota"),
      "-o",
      "json",
    ]);
    const { uid } = JSON.parse(owner).metadata;
    const ownerReferences = [{ apiVersion: "batch/v1", kind: "Job", name: "train", uid, controller: true }];
    const attempt = () =>
      create("quota", { requests: [ask("api-key")], metadata: { generateName: "train-", ownerReferences } });
    expect((await attempt()).status).toBe(403);
    await sweepAt(5 * MINUTE_MS);
    const [first] = await writtenNames("quota");
    // It is tried again in time: nothing has to be written.
    expect((await attempt()).status).toBe(403);
    expect(await writtenNames("quota")).toEqual([first]);
    await sweepAt(15 * MINUTE_MS);
    expect(await writtenNames("quota")).toEqual([]);
    await keepQuota("quota", "0");
    const created = await attempt();
    expect([created.status, nameOf(created)]).toEqual([201, first]);
    await sweepAt(300 * MINUTE_MS);
    expect(await writtenNames("quota")).toEqual([first]);
  });

  test("H6: owners that live on, or never were, don't keep the Secrets of refused pods", async () => {
    const made = await cluster.kubectl(["create", "configmap", "kept", "-n", namespaceOf("owners"), "-o", "json"]);
    const { uid } = JSON.parse(made).metadata;
    const owners = [
      [{ apiVersion: "v1", kind: "ConfigMap", name: "kept", uid }],
      ...Array.from({ length: 20 }, (_, at) => [
        { apiVersion: "v1", kind: "ConfigMap", name: "none", uid: `none-${at}` },
      ]),
    ];
    for (const ownerReferences of owners) {
      const requests = [ask("global-0"), ask(ownerReferences === owners[0] ? "global-1" : "global-0")];
      expect(
        (await create("owners", { requests, metadata: { generateName: "a-", ownerReferences }, containers: INVALID }))
          .status,
      ).toBe(422);
    }
    const ownersOf = (await written("owners")).map(({ metadata }) => metadata.ownerReferences?.map(({ name }) => name));
    expect(ownersOf.toSorted()).toEqual([["kept"], undefined]);
    const huge = [{ apiVersion: "v1", kind: "ConfigMap", name: "none", uid: "u".repeat(1_000_000) }];
    const metadata = { generateName: "a-", ownerReferences: huge };
    expect((await create("owners", { requests: [ask("global-2")], metadata, containers: INVALID })).status).toBe(422);
    expect(JSON.stringify(await written("owners")).length).toBeLessThan(10_000);
    await sweepAt(15 * MINUTE_MS);
    expect(await writtenNames("owners")).toEqual([]);
  });

  test("H6: a namespace over a limit gets no more Secrets, with the setting's name, and others notice nothing", async () => {
    const keys = Array.from({ length: 3 * MAX_UNNAMED }, (_, at) => `many-${at}`);
    for (const key of keys) await keep("many", key, `value of ${key}`);
    const answers: CreateAnswer[] = [];
    const report = await underAttack(program(), async () => {
      const attempts = keys.map(async (key) => {
        answers.push(await create("many", { requests: [ask(key)], containers: INVALID }));
      });
      await Promise.all(attempts);
    });
    expect(report.failures).toEqual([]);
    const refused = answers.filter(({ status }) => status === 503);
    // What is on its way is not counted yet.
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(MAX_UNNAMED);
    expect(await writtenNames("many")).toHaveLength(answers.length - refused.length);
    expect(refused.length).toBeGreaterThan(0);
    for (const { body } of refused) {
      expect(body.message).toMatch(
        /^admission webhook "flyte-pod-webhook\.flyte\.org" denied the request: Namespace many-development would have \d+ written Secrets that no pod was seen to name, over webhook\.writtenSecrets\.maxUnnamed \(30\)\. Pods that are refused leave them; try again when they are collected, or set it higher\.$/,
      );
    }
    expect((await create("many", { requests: [ask("many-89")] })).status).toBe(503);
    await sweepAt(15 * MINUTE_MS);
    expect(await writtenNames("many")).toEqual([]);
    await vi.waitUntil(async () => (await create("many", { requests: [ask("many-89")] })).status === 201, {
      interval: 100,
    });
  });

  test("H6: bytes count too: of secrets of a mebibyte a namespace leaves two", async () => {
    const large = "x".repeat(1_000_000);
    for (const at of [0, 1, 2, 3]) await keep("big", `big-${at}`, large + at);
    const statuses: number[] = [];
    for (const at of [0, 1, 2, 3]) {
      const answer = await create("big", {
        requests: [ask(`big-${at}`, { mountRequirement: MountRequirement.FILE })],
        containers: INVALID,
      });
      statuses.push(answer.status);
      if (answer.status === 503)
        expect(answer.body.message).toContain("webhook.writtenSecrets.maxUnnamedBytes (2097152)");
    }
    expect(statuses).toEqual([422, 422, 503, 503]);
  });

  test("H6: Secrets that somebody makes to look like ours cost their own namespace its share, and no other", async () => {
    const metadata = {
      namespace: namespaceOf("alike"),
      labels: { "app.flyte.org/managed-by": "flyte-secrets-webhook" },
      annotations: { "app.flyte.org/needed-until": "2999-01-01T00:00:00.000Z", "app.flyte.org/named-by-pod": "true" },
    };
    const report = await underAttack(program(), async () => {
      for (let at = 0; at < 3 * MAX_SECRETS; at++) {
        const name = `flyte-secrets-${String(at).padStart(32, "0")}`;
        await client.create(SECRETS, {
          apiVersion: "v1",
          kind: "Secret",
          immutable: true,
          metadata: { ...metadata, name },
        });
      }
    });
    expect(report.failures).toEqual([]);
    const refused = async () => {
      const { status, body } = await create("alike", { requests: [ask("global-0")] });
      return status === 503 && body.message.includes("webhook.writtenSecrets.maxSecrets (60)");
    };
    await vi.waitUntil(refused, { interval: 100 });
  });

  test("H6: dry runs write nothing, nor does a pod of a namespace that is being deleted", async () => {
    const before = await writtenNames("owners");
    for (const key of GLOBAL_KEYS) {
      expect((await create("owners", { requests: [ask(key)] }, "dryRun=All")).status).toBe(201);
    }
    expect(await writtenNames("owners")).toEqual(before);
    await cluster.kubectl(["delete", "namespace", namespaceOf("ending"), "--wait=false"]);
    expect((await create("ending", { requests: [ask("global-0")] })).status).toBe(403);
    expect(await writtenNames("ending")).toEqual([]);
  });

  test("a value that changes again and again leaves the Secrets of pods that run, and no others", async () => {
    await keep("rotating", "rotated", "0");
    const seen = new Set<string>();
    for (let value = 1; value <= 20; value++) {
      const isNew = async () =>
        !seen.has(nameOf(await create("rotating", { requests: [ask("rotated")] }, "dryRun=All")) ?? "");
      await vi.waitUntil(isNew, { timeout: 10_000, interval: 20 });
      seen.add(
        nameOf(await create("rotating", { requests: [ask("rotated")], metadata: { name: `pod-${value}` } })) ?? "",
      );
      await store.update(idOf("rotating", "rotated"), SecretValue.fromText(String(value)));
    }
    expect(await writtenNames("rotating")).toEqual([...seen].toSorted());
    const pods = Array.from({ length: 18 }, (_, at) => `pod-${at + 1}`);
    await cluster.kubectl(["delete", "pods", "-n", namespaceOf("rotating"), "--force", "--grace-period=0", ...pods]);
    await sweepAt(15 * MINUTE_MS);
    expect(await writtenNames("rotating")).toEqual([...seen].slice(18).toSorted());
  });

  test("Secrets of earlier versions, with all values of a pod, stay while a pod names them and go then; those with owners go with them", async () => {
    const secretOf = (digit: string, more: object = {}) => ({
      apiVersion: "v1",
      kind: "Secret",
      immutable: true,
      metadata: {
        namespace: namespaceOf("earlier"),
        name: `flyte-secrets-${digit.repeat(32)}`,
        labels: { "app.flyte.org/managed-by": "flyte-secrets-webhook" },
        annotations: { "app.flyte.org/needed-until": new Date(Date.now() + MINUTE_MS).toISOString() },
        ...more,
      },
      data: { one: "MQ==", two: "Mg==" },
    });
    const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "kept", uid: "kept" }];
    const secrets = [secretOf("1"), secretOf("2"), secretOf("3", { ownerReferences })];
    for (const secret of secrets) await client.create(SECRETS, secret);
    const [named, unnamed, owned] = secrets.map(({ metadata }) => metadata.name);
    const envFrom = [{ secretRef: { name: named } }];
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "old" },
      spec: { containers: [{ name: "main", image: "task", envFrom }] },
    };
    const answer = await creator.create(`/api/v1/namespaces/${namespaceOf("earlier")}/pods`, pod);
    expect(answer.status).toBe(201);
    expect(await writtenNames("earlier")).toEqual([named, unnamed, owned]);
    await sweepAt(2 * MINUTE_MS);
    expect(await writtenNames("earlier")).toEqual([named, owned]);
    await cluster.kubectl(["delete", "pod", "old", "-n", namespaceOf("earlier"), "--force", "--grace-period=0"]);
    await sweepAt(120 * MINUTE_MS);
    expect(await writtenNames("earlier")).toEqual([owned]);
  });
});
