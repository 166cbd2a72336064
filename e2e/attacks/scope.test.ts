// Who gets which secret: pods that claim, spell or name what is not theirs, on a real API server. Letters are those of
// the attack report.
import {
  encodeSecretId,
  INJECT_LABEL,
  kubernetesSecretName,
  type SecretId,
  systemClock,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import { openKubernetesStore } from "@flyte-secrets/store";
import { generic } from "@flyte-secrets/testkit/vitest";
import { ask, review } from "@flyte-secrets/webhook/testing";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Cluster, requireKubernetes, startCluster } from "../kubernetes/cluster.ts";
import { type CuttableWay, openCuttableWay } from "../kubernetes/cut-connections.ts";
import { readCa } from "../kubernetes/direct-reviews.ts";
import { connect, log } from "../kubernetes/store-fixture.ts";
import { type RegisteredWebhook, startRegisteredWebhook } from "../kubernetes/webhook-process.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { type ObjectCreator, openObjectCreator } from "./create-objects.ts";

/** Of the webhook and the managed Secrets; its pods may claim any scope. */
const STORE = "flyte";
const GLOBAL: SecretId = { org: "flyte", domain: "", project: "", name: "shared" };
const DOMAINS: SecretId = { ...GLOBAL, domain: "production", name: "of-domain" };
const SHOPS: SecretId = { ...DOMAINS, project: "shop", name: "api-key" };
const VICTIMS: SecretId = { ...SHOPS, project: "victim", name: "stripe" };
const NAMESPACES = [
  "shop-production",
  "team-x-gpu",
  "labelled",
  "monitoring-system",
  "foo-prod",
  "a-b",
  "a-b-production",
];
const WRITTEN = "app.flyte.org/managed-by=flyte-secrets-webhook";

/** What a pod claims and asks for. */
interface Asked {
  readonly namespace: string;
  readonly project?: string;
  readonly domain?: string;
  readonly key?: string;
  readonly group?: string;
  readonly own?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

function podOf({ namespace, project = "shop", domain = "production", key = "shared", group = "", ...rest }: Asked) {
  const { own = namespace, labels = { organization: "flyte", project, domain } } = rest;
  const annotations = toRequestAnnotations([ask(key, { group, mountRequirement: 1 })]);
  const metadata = {
    generateName: "task-",
    namespace: own,
    labels: { [INJECT_LABEL]: "true", ...labels },
    annotations,
  };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "main", image: "task" }] } };
}

describeWith(requireKubernetes(), "a pod that wants what is not its own", () => {
  let cluster: Cluster;
  let way: CuttableWay;
  let webhook: RegisteredWebhook;
  let creator: ObjectCreator;

  beforeAll(async () => {
    cluster = await startCluster();
    for (const namespace of [STORE, ...NAMESPACES, "team-a"]) await cluster.kubectl(["create", "namespace", namespace]);
    const place = { namespace: STORE, imagePullNamespace: STORE, clusterName: "one" };
    const store = await openKubernetesStore({
      client: connect(cluster.adminKubeconfig),
      ...place,
      clock: systemClock,
      log,
    });
    for (const id of [GLOBAL, DOMAINS, SHOPS, VICTIMS]) await store.create(id, generic(`value of ${id.name}`));
    await store.close();
    // Everything but to create Secrets: that is granted by the commands which refusals print.
    const account = await cluster.createAccount({
      namespace: STORE,
      name: "webhook",
      rules: [
        { apiGroups: [""], resources: ["secrets"], verbs: ["get", "list", "watch", "update"] },
        { apiGroups: [""], resources: ["namespaces"], verbs: ["get", "list", "watch"] },
        {
          apiGroups: ["admissionregistration.k8s.io"],
          resources: ["mutatingwebhookconfigurations"],
          verbs: ["create", "get", "list", "patch", "update", "watch"],
        },
      ],
    });
    await cluster.kubectl(["-n", STORE, "create", "role", "own", "--resource=secrets", "--verb=create"]);
    await cluster.kubectl([
      "-n",
      STORE,
      "create",
      "rolebinding",
      "own",
      "--role=own",
      `--serviceaccount=${STORE}:webhook`,
    ]);
    way = await openCuttableWay(cluster, account);
    webhook = await startRegisteredWebhook(
      way.kubeconfig,
      {
        name: "webhook",
        "webhook.secretManagerTypes": "K8s,Embedded",
        "webhook.namespaceSelector":
          '{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["default"]}]}',
        "webhook.scopeBinding.namespaces": '{"team-x-gpu":["shop/production"],"kube-public":[]}',
        "webhook.scopeBinding.namespaceLabels": "true",
        "webhook.scopeBinding.domains": "development,staging,production",
        "webhook.groupBinding": '{"team-a":["team","db"]}',
        "webhook.webhookTimeout": "10",
      },
      { FLYTE_SECRET_TEAM_B_DB_PASSWORD: "another team's", FLYTE_SECRET_TEAM_TOKEN: "this team's" },
    );
    creator = openObjectCreator(cluster);
    await vi.waitUntil(async () => (await create({ namespace: STORE })) === "given", { timeout: 20_000 });
  });
  afterAll(async () => {
    creator?.close();
    await webhook?.stop();
    await way?.close();
    await cluster?.close();
  });

  /** `given`, or the status and reason of a refusal. A dry run writes nothing, so that no right to write is needed. */
  async function create(asked: Asked, query = "?dryRun=All"): Promise<string> {
    const { status, body } = await creator.create(`/api/v1/namespaces/${asked.namespace}/pods${query}`, podOf(asked));
    if (status !== 201) return `${status} ${body.message}`;
    return JSON.stringify(body.spec).includes("secretKeyRef") ? "given" : "nothing";
  }

  const label = (...labels: string[]) => cluster.kubectl(["label", "--overwrite", "namespace", "labelled", ...labels]);

  test.each<[string, Asked]>([
    [
      "a namespace like a project's of a domain that isn't there",
      { namespace: "monitoring-system", project: "monitoring", domain: "system" },
    ],
    ["kube-system", { namespace: "kube-system", project: "kube", domain: "system" }],
    ["a namespace that calls its domain otherwise", { namespace: "foo-prod", project: "foo", domain: "prod" }],
    ["a namespace with any hyphen", { namespace: "a-b", project: "a", domain: "b" }],
    ["a border that was moved", { namespace: "a-b-production", project: "a", domain: "b-production" }],
    ["the namespace of another project", { namespace: "shop-production", project: "victim" }],
    ["another domain", { namespace: "shop-production", domain: "development" }],
    [
      "an organization of its own",
      { namespace: "shop-production", labels: { organization: "o", project: "shop", domain: "production" } },
    ],
    ["a project in upper case", { namespace: "shop-production", project: "Shop" }],
    ["an entry that is empty", { namespace: "kube-public", project: "kube", domain: "public" }],
  ])("H5: %s gets no secret, the global ones included", async (_, asked) => {
    for (const key of ["shared", "of-domain", "api-key"]) {
      expect(await create({ ...asked, key })).toMatch(/^400 admission webhook .* (may not claim|label organization)/);
    }
  });

  test.each<[string, Asked]>([
    ["no labels", { namespace: "monitoring-system", labels: {} }],
    ["empty labels", { namespace: "monitoring-system", labels: { organization: "flyte", project: "", domain: "" } }],
  ])("H5: %s claim nothing, and get nothing", async (_, asked) => {
    // The K8s manager then refers to a Secret of the pod's namespace, called MD5 of the key, in which no managed one
    // lies.
    expect(await create(asked)).toBe("given");
    expect(await cluster.kubectl(["get", "secrets", "-n", asked.namespace, "-o", "name"])).toBe("");
  });

  test("H5: a project's own namespace gets its own, its domain's and the global ones", async () => {
    for (const key of ["shared", "of-domain", "api-key"]) {
      expect(await create({ namespace: "shop-production", key })).toBe("given");
    }
    expect(await create({ namespace: "a-b-production", project: "a-b" })).toBe("given");
  });

  test("H5: an entry for a namespace gives that scope and no other, and the refusal says what to add", async () => {
    expect(await create({ namespace: "team-x-gpu", key: "api-key" })).toBe("given");
    for (const [project, domain] of [
      ["shop", "development"],
      ["victim", "production"],
      ["team-x", "gpu"],
    ] as const) {
      expect(await create({ namespace: "team-x-gpu", project, domain })).toContain(
        `webhook.scopeBinding.namespaces allows it "shop/production". If it should, add "${project}/${domain}" to that entry`,
      );
    }
    expect(await create({ namespace: "foo-prod" })).toContain(
      'have an administrator add to webhook.scopeBinding.namespaces: {"foo-prod": ["shop/production"]}',
    );
  });

  test("H5: labels of a namespace bind as soon as they are set, changed or removed", async () => {
    const asked: Asked = { namespace: "labelled", key: "api-key" };
    expect(await create(asked)).toContain("webhook.scopeBinding.namespaceTemplate");
    await label("flyte.secrets/project=shop", "flyte.secrets/domain=production");
    await expect.poll(() => create(asked)).toBe("given");
    expect(await create({ ...asked, project: "victim", key: "stripe" })).toContain('has flyte.secrets/project="shop"');
    await label("flyte.secrets/project=victim");
    await expect.poll(() => create(asked)).toContain('has flyte.secrets/project="victim"');
    await label("flyte.secrets/project-");
    await expect.poll(() => create(asked)).toContain("no label flyte.secrets/project");
    await label("flyte.secrets/domain-");
    await expect.poll(() => create(asked)).toContain("webhook.scopeBinding.namespaceTemplate");
  });

  test("H5: a namespace that was made a moment ago is known by its labels", async () => {
    for (let round = 0; round < 5; round++) {
      const name = `new-${round}`;
      const labels = { "flyte.secrets/project": "shop", "flyte.secrets/domain": "production" };
      await creator.create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
      expect(await create({ namespace: name, key: "api-key" })).toBe("given");
    }
  });

  test.each<[string, Asked, RegExp]>([
    [
      "the id of another project's secret",
      { namespace: "shop-production", key: encodeSecretId(VICTIMS) },
      /neither of the scope/,
    ],
    [
      "that id with the name of its Secret",
      { namespace: STORE, key: encodeSecretId(VICTIMS), group: kubernetesSecretName(VICTIMS) },
      /neither of the scope/,
    ],
    [
      "the name of its Secret",
      { namespace: STORE, key: "k", group: kubernetesSecretName(VICTIMS) },
      /the key is not its id/,
    ],
    [
      "an id of its own with another Secret's name",
      { namespace: STORE, key: encodeSecretId(SHOPS), group: kubernetesSecretName(VICTIMS) },
      /the key is not its id/,
    ],
    [
      "an id, from a pod whose claim is refused",
      { namespace: "foo-prod", key: encodeSecretId(GLOBAL) },
      /may not claim/,
    ],
    [
      "an id, from a pod without labels",
      { namespace: STORE, labels: {}, key: encodeSecretId(GLOBAL) },
      /neither of the scope/,
    ],
    [
      "an id in upper case",
      { namespace: STORE, labels: {}, key: encodeSecretId(VICTIMS).toUpperCase() },
      /and is none/,
    ],
    [
      "the service's token",
      { namespace: STORE, key: "token", group: "flyte-secrets-token" },
      /belongs to the installation/,
    ],
    [
      "the webhook's private key",
      { namespace: STORE, key: "tls.key", group: "webhook" },
      /belongs to the installation/,
    ],
    ["the key of names", { namespace: STORE, key: "key", group: "webhook-naming" }, /belongs to the installation/],
    [
      "an image-pull Secret",
      { namespace: "shop-production", key: ".dockerconfigjson", group: `img-pull-${"a".repeat(16)}` },
      /for other pods/,
    ],
    [
      "what was written for another pod",
      { namespace: "shop-production", key: "k", group: `flyte-secrets-${"a".repeat(32)}` },
      /for other pods/,
    ],
  ])("H3: %s is not to be had by naming it", async (_, asked, reason) => {
    const answer = await create(asked);
    expect(answer).toMatch(/^400 /);
    expect(answer).toMatch(reason);
  });

  test("H3: the id of a secret of the pod's own scope is, and a Secret of its own", async () => {
    expect(await create({ namespace: "shop-production", key: encodeSecretId(SHOPS) })).toBe("given");
    expect(await create({ namespace: "shop-production", key: encodeSecretId(GLOBAL) })).toBe("given");
    expect(await create({ namespace: "team-a", key: "password", group: "db" })).toBe("given");
  });

  test("M3: the border between group and key of a global secret can't be moved", async () => {
    const global = { namespace: "team-a", labels: {} };
    expect(await create({ ...global, group: "team", key: "TOKEN" })).toBe("given");
    // Global turns it down, and the K8s manager refers to a Secret `team` of that namespace: there is none, and it may
    // name it.
    for (const [group, key] of [
      ["team", "B_DB_PASSWORD"],
      ["team", "b_db_password"],
      ["db", "x"],
    ] as const) {
      const { body } = await creator.create(
        "/api/v1/namespaces/team-a/pods?dryRun=All",
        podOf({ ...global, group, key }),
      );
      expect(JSON.stringify(body.spec)).toContain(`"secretKeyRef":{"name":"${group}"`);
    }
    expect(await create({ ...global, group: "team_b", key: "DB_PASSWORD" })).toContain(
      'group "team_b" is not among those that webhook.groupBinding allows',
    );
  });

  test("L6: a pod that says another namespace than its request is refused", async () => {
    const target = { port: webhook.ports.admission, ca: await readCa(connect(cluster.adminKubeconfig)) };
    const asked = podOf({ namespace: "x", own: "shop-production", key: "api-key" });
    const request = { uid: "1", kind: { group: "", version: "v1", kind: "Pod" }, operation: "CREATE", userInfo: {} };
    const body = (namespace: string) => ({
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      request: { ...request, dryRun: true, namespace, object: asked },
    });
    for (const namespace of ["foo-prod", "", "shop-production "]) {
      expect(await review(target, body(namespace))).toMatchObject({
        response: { allowed: false, status: { code: 400, message: expect.stringContaining("they must be the same") } },
      });
    }
    expect(await review(target, body("shop-production"))).toMatchObject({ response: { allowed: true } });
  });

  test("a namespace that may not be written is 400 with the command that grants it, which then does", async () => {
    const asked: Asked = { namespace: "shop-production", key: "api-key" };
    const refusal = await create(asked, "");
    expect(refusal).toMatch(/^400 admission webhook .* no permission to create secrets in namespace shop-production/);
    const [command = ""] = /echo '.*\| kubectl apply -f -/.exec(refusal) ?? [];
    const env = {
      PATH: `${cluster.programs}:${process.env.PATH}`,
      HOME: cluster.directory,
      KUBECONFIG: cluster.adminKubeconfig,
    };
    expect(await runProgram("/bin/sh", ["-c", command], { env })).toMatchObject({ exitCode: 0 });
    await expect.poll(() => create(asked, ""), { timeout: 10_000 }).toBe("given");
    expect(await cluster.kubectl(["get", "secrets", "-n", "foo-prod", "-l", WRITTEN, "-o", "name"])).toBe("");
  });

  test("H5: while labels can't be followed, claims are 503 and not the template's", { timeout: 60_000 }, async () => {
    const asked: Asked = { namespace: "shop-production", key: "api-key" };
    way.cut();
    await expect
      .poll(() => create(asked), { timeout: 40_000, interval: 500 })
      .toMatch(/^503 admission webhook .*webhook\.scopeBinding\.namespaceLabels/);
    // What an entry says needs no labels, and what claims no scope no claim.
    expect(await create({ namespace: "team-x-gpu", project: "victim" })).toMatch(/^400 .*namespaces allows it/);
    expect(await create({ namespace: "team-a", group: "db", key: "password" })).toBe("given");
    way.restore();
    await expect.poll(() => create(asked), { timeout: 30_000, interval: 500 }).toBe("given");
  });
});
