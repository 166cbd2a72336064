import { createHash, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import {
  encodeSecretId,
  imagePullLabels,
  imagePullSecretName,
  kubernetesSecretName,
  type SecretId,
  SecretValue,
} from "@flyte-secrets/core";
import {
  createKubeClient,
  createLogger,
  findKubeConnection,
  type KubeClient,
  type KubernetesStore,
  type KubernetesStoreOptions,
  openKubernetesStore,
  SECRETS,
  type Secret,
  systemClock,
} from "@flyte-secrets/server";
import { describeSecretStore, generic, listRequest, readText, type StoreHarness } from "@flyte-secrets/testkit/vitest";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { type AccountRules, type Cluster, requireKubernetes, startCluster } from "./cluster.ts";
import { openCuttableWay } from "./cut-connections.ts";

const log = createLogger({
  level: "warn",
  mute: process.env.SHOW_LOG !== "true",
  "show-source": false,
  formatter: { type: "json" },
});

describeWith(requireKubernetes(), "the Kubernetes store on a real API server", () => {
  let cluster: Cluster;
  let namespaces = 0;

  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.close());

  function connect(kubeconfig = cluster.adminKubeconfig): KubeClient {
    const connection = findKubeConnection({ kubeconfig, env: {}, home: "/nowhere", clock: systemClock });
    return createKubeClient({ connection, qps: 1_000, burst: 1_000, timeoutMs: 30_000, clock: systemClock });
  }

  function openIn(namespace: string, change: Partial<KubernetesStoreOptions> = {}): Promise<KubernetesStore> {
    const options = { namespace, imagePullNamespace: namespace, clusterName: "one", clock: systemClock, log };
    return openKubernetesStore({ ...options, client: connect(), ...change });
  }

  async function startInCluster(): Promise<StoreHarness> {
    namespaces += 1;
    const namespace = `store-${namespaces}`;
    const opened: KubernetesStore[] = [];
    const open = async () => {
      const store = await openIn(namespace);
      opened.push(store);
      return store;
    };
    return {
      store: await open(),
      connect: open,
      async markSystem(id) {
        await cluster.kubectl([
          "label",
          "secret",
          `--namespace=${namespace}`,
          kubernetesSecretName(id),
          "app.flyte.org/system=true",
        ]);
      },
      watching: async (client) => opened.find((store) => store === client)?.synced(),
      async close() {
        for (const store of opened) await store.close();
      },
    };
  }

  describeSecretStore("the Kubernetes store", startInCluster);

  /** A store in a namespace of its own. */
  async function setUp(change: Partial<KubernetesStoreOptions> = {}) {
    namespaces += 1;
    const namespace = change.namespace ?? `store-${namespaces}`;
    const store = await openIn(namespace, change);
    onTestFinished(() => store.close());
    const kubectl = (args: string[], input?: string) => cluster.kubectl([`--namespace=${namespace}`, ...args], input);
    const apply = (...items: object[]) =>
      kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    const getSecrets = async () => JSON.parse(await kubectl(["get", "secrets", "-o", "json"])).items;
    return { namespace, store, kubectl, apply, getSecrets };
  }

  const id = (domain: string, project: string, name = "api-key"): SecretId => ({ org: "flyte", domain, project, name });
  const scopes = [id("development", "shop"), id("development", ""), id("", "")];

  /** As Flyte's service writes it. */
  const flytesSecret = (secret: SecretId, value: string) => ({
    apiVersion: "v1",
    kind: "Secret",
    type: "Opaque",
    metadata: {
      name: createHash("md5").update(encodeSecretId(secret)).digest("hex"),
      labels: {
        "app.flyte.org/managed": "true",
        ...(secret.domain && { "app.flyte.org/domain": secret.domain }),
        ...(secret.project && { "app.flyte.org/project": secret.project }),
      },
    },
    data: { [encodeSecretId(secret)]: Buffer.from(value).toString("base64") },
  });

  describe("beside Flyte", () => {
    test("what Flyte wrote is listed, described, read, updated and deleted", async () => {
      const { store, apply } = await setUp();
      await apply(...scopes.map((secret) => flytesSecret(secret, `of ${secret.domain}/${secret.project}`)));
      expect((await store.list(listRequest())).entries.map((entry) => encodeSecretId(entry.id)).toSorted()).toEqual(
        scopes.map(encodeSecretId).toSorted(),
      );
      for (const secret of scopes) {
        expect(await store.get(secret)).toMatchObject({ id: secret, type: "generic", system: false });
        expect(await readText(store, secret)).toBe(`of ${secret.domain}/${secret.project}`);
        await store.update(secret, SecretValue.fromText("ours"));
        expect(await readText(store, secret)).toBe("ours");
        await store.delete(secret);
      }
      expect((await store.list(listRequest())).entries).toEqual([]);
    });

    test("what it writes is Flyte's form, no more and no less", async () => {
      const { store, getSecrets } = await setUp();
      for (const secret of scopes) {
        await store.create(secret, generic("first"));
        await store.update(secret, SecretValue.fromText("v"));
      }
      const written = (await getSecrets()).map(
        ({ apiVersion, kind, type, metadata: { name, labels, annotations }, data }: Secret) => ({
          apiVersion,
          kind,
          type,
          metadata: { name, labels, ...(annotations && { annotations }) },
          data,
        }),
      );
      const byName = (a: Secret, b: Secret) => (a.metadata.name < b.metadata.name ? -1 : 1);
      expect(written.toSorted(byName)).toEqual(scopes.map((secret) => flytesSecret(secret, "v")).toSorted(byName));
    });

    test("foreign and damaged Secrets are skipped, and pages are full all the same", async () => {
      const { store, apply } = await setUp();
      const names = Array.from({ length: 12 }, (_, at) => `key-${at}`);
      for (const name of names) await store.create(id("development", "shop", name), generic("x"));
      const managed = { labels: { "app.flyte.org/managed": "true" } };
      const damaged = Array.from({ length: 8 }, (_, at) => ({
        ...flytesSecret(id("", "", `damaged-${at}`), "x"),
        data: at % 2 === 0 ? { other: "eA==" } : { [encodeSecretId(id("", "", "of-another-name"))]: "eA==" },
      }));
      await apply(
        ...damaged,
        { apiVersion: "v1", kind: "Secret", metadata: { name: "foreign", ...managed } },
        {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "unmanaged" },
          data: { [encodeSecretId(id("", ""))]: "eA==" },
        },
      );
      const pages: string[][] = [];
      for (let token: string | undefined; token !== ""; ) {
        const page = await store.list(listRequest({ limit: 5, token: token ?? "" }));
        pages.push(page.entries.map((entry) => entry.id.name));
        token = page.token;
      }
      expect(pages.flat().toSorted()).toEqual(names.toSorted());
      expect(pages.slice(0, 2).map((page) => page.length)).toEqual([5, 5]);
      await expect(store.read(id("", "", "damaged-0"))).rejects.toMatchObject({ code: "value_unreadable" });
      await store.update(id("", "", "damaged-0"), SecretValue.fromText("mended"));
      expect(await readText(store, id("", "", "damaged-0"))).toBe("mended");
    });
  });

  describe("beside other writers", () => {
    test("an update keeps labels, annotations and creation time, and no change is lost", async () => {
      const { store, namespace, kubectl } = await setUp();
      const secret = id("development", "shop");
      const name = kubernetesSecretName(secret);
      const { createdAt } = await store.create(secret, generic("0"));
      await kubectl(["label", "secret", name, "team=payments"]);
      const other = connect();
      onTestFinished(() => other.close());
      const annotate = async () => {
        for (let at = 0; at < 30; at++) {
          const patch = { metadata: { annotations: { [`note-${at}`]: "kept" } } };
          await other.patch(SECRETS, { namespace, name, patch });
        }
      };
      const update = async () => {
        for (let at = 1; at <= 20; at++) await store.update(secret, SecretValue.fromText(String(at)));
      };
      await Promise.all([annotate(), update()]);
      const { metadata } = JSON.parse(await kubectl(["get", "secret", name, "-o", "json"]));
      expect(Object.keys(metadata.annotations)).toHaveLength(30);
      expect(metadata.labels).toMatchObject({ team: "payments", "app.flyte.org/managed": "true" });
      expect(await readText(store, secret)).toBe("20");
      expect((await store.get(secret))?.createdAt).toEqual(createdAt);
    });

    test("sixteen that update one secret at once are all served", async () => {
      const { store, namespace } = await setUp();
      const secret = id("", "");
      await store.create(secret, generic("0"));
      const others = await Promise.all(Array.from({ length: 15 }, () => openIn(namespace)));
      onTestFinished(async () => {
        for (const other of others) await other.close();
      });
      const values = [store, ...others].map((_, at) => `value ${at}`);
      await Promise.all([store, ...others].map((each, at) => each.update(secret, SecretValue.fromText(`value ${at}`))));
      expect(values).toContain(await readText(store, secret));
    });

    test("an immutable Secret is refused with what to do", async () => {
      const { store, apply } = await setUp();
      await apply({ ...flytesSecret(id("", ""), "x"), immutable: true });
      await expect(store.update(id("", ""), SecretValue.fromText("y"))).rejects.toMatchObject({
        code: "call_refused",
        message: expect.stringContaining("is immutable. Delete the secret and create it."),
      });
    });
  });

  describe("image-pull secrets", () => {
    const registry = id("", "", "registry");
    const auths = (host: string) => JSON.stringify({ auths: { [host]: {} } });
    const input = (host: string) => ({ value: SecretValue.fromText(auths(host)), type: "image_pull" }) as const;

    async function setUpPulls() {
      const pulls = `pulls-${namespaces}`;
      await cluster.kubectl(["create", "namespace", pulls]);
      const { store, ...rest } = await setUp({ imagePullNamespace: pulls });
      const twins = async (): Promise<Secret[]> =>
        JSON.parse(await cluster.kubectl(["get", "secrets", `--namespace=${pulls}`, "-o", "json"])).items;
      const pulled = async () =>
        (await twins()).map(({ data }) => Buffer.from(data?.[".dockerconfigjson"] ?? "", "base64").toString());
      return { store, pulls, twins, pulled, ...rest };
    }

    test("have a second Secret that Kubernetes can pull with, which follows updates and goes with them", async () => {
      const { store, twins, pulled } = await setUpPulls();
      expect(await store.create(registry, input("one.example"))).toMatchObject({ type: "image_pull" });
      expect(await twins()).toMatchObject([
        {
          type: "kubernetes.io/dockerconfigjson",
          metadata: { name: imagePullSecretName(registry), labels: imagePullLabels(registry) },
        },
      ]);
      expect(await pulled()).toEqual([auths("one.example")]);
      await store.update(registry, SecretValue.fromText(auths("two.example")));
      expect(await pulled()).toEqual([auths("two.example")]);
      expect((await store.list(listRequest())).entries).toMatchObject([{ id: registry, type: "image_pull" }]);
      await store.delete(registry);
      expect([await twins(), await store.get(registry)]).toEqual([[], undefined]);
    });

    test("both hold the same value after updates at once, and none is left after a delete among them", async () => {
      const { store, namespace, pulls, pulled } = await setUpPulls();
      const other = await openIn(namespace, { imagePullNamespace: pulls });
      onTestFinished(() => other.close());
      await store.create(registry, input("start.example"));
      const update = (client: KubernetesStore, at: number) =>
        client.update(registry, SecretValue.fromText(auths(`${at}.example`)));
      await Promise.all(Array.from({ length: 12 }, (_, at) => update(at % 2 === 0 ? store : other, at)));
      expect(await pulled()).toEqual([await readText(store, registry)]);
      for (let round = 0; round < 5; round++) {
        await Promise.allSettled([update(other, round), store.delete(registry), update(store, round)]);
        expect([await store.get(registry), await pulled()]).toEqual([undefined, []]);
        await store.create(registry, input("again.example"));
      }
    });

    test("a create whose second half fails leaves neither, and says what is missing", async () => {
      const { store, getSecrets } = await setUp({ imagePullNamespace: "nowhere" });
      await expect(store.create(registry, input("one.example"))).rejects.toMatchObject({
        code: "call_refused",
        message: expect.stringContaining("namespace nowhere does not exist. Create it."),
      });
      expect(await getSecrets()).toEqual([]);
    });
  });

  describe("refusals", () => {
    const secret = id("", "");
    const account = (name: string, ...rules: AccountRules["rules"][number][]) =>
      cluster.createAccount({ namespace: "default", name, rules });
    const secretsRule = (...verbs: string[]) => ({ apiGroups: [""], resources: ["secrets"], verbs });

    test("a namespace that is missing is made once, by however many; without the permission the error names it", async () => {
      const stores = await Promise.all(Array.from({ length: 4 }, () => openIn("made-at-start")));
      for (const store of stores) await store.close();
      const rule = { apiGroups: [""], resources: ["namespaces"], verbs: ["get"] };
      const client = connect(await account("no-create", rule));
      await expect(openIn("never-made", { client })).rejects.toMatchObject({
        code: "credentials_refused",
        message: expect.stringMatching(
          /^namespace never-made .* does not exist, and we have no permission to create namespaces/,
        ),
      });
    });

    test("an account that may do nothing is told which permission is missing", async () => {
      const { store } = await setUp({ client: connect(await account("nothing")) });
      const message = (verb: string) => expect.stringMatching(`permission to ${verb} secrets in namespace store-`);
      const refusal = (verb: string) => ({ code: "credentials_refused", message: message(verb) });
      await expect(store.create(secret, generic("x"))).rejects.toMatchObject(refusal("create"));
      await expect(store.get(secret)).rejects.toMatchObject(refusal("get"));
      await expect(store.list(listRequest())).rejects.toMatchObject(refusal("list"));
      await expect(store.check()).rejects.toMatchObject(refusal("get"));
    });

    test("an account with the narrowest rights does everything", async () => {
      const rights = secretsRule("create", "get", "list", "watch", "update", "delete");
      const { store } = await setUp({ client: connect(await account("narrow", rights)), namespace: "default" });
      await store.create(secret, generic("x"));
      await store.update(secret, SecretValue.fromText("y"));
      expect(await readText(store, secret)).toBe("y");
      await store.delete(secret);
      await store.check();
    });

    test("a quota, a namespace on its way out and one that is gone are refusals that say so", async () => {
      const { store, kubectl, namespace } = await setUp();
      const quota = {
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: { name: "few" },
        spec: { hard: { secrets: "1" } },
      };
      await kubectl(["apply", "-f", "-"], JSON.stringify(quota));
      const counted = { status: { hard: { secrets: "1" }, used: { secrets: "1" } } };
      await kubectl([
        "patch",
        "resourcequota",
        "few",
        "--subresource=status",
        "--type=merge",
        "-p",
        JSON.stringify(counted),
      ]);
      await expect
        .poll(() => store.create(id("", "", `k-${randomUUID()}`), generic("x")).catch((error: unknown) => error))
        .toMatchObject({
          code: "call_refused",
          message: expect.stringContaining("a quota or an admission rule refuses it"),
        });
      await kubectl(["delete", "namespace", namespace, "--wait=false"]);
      await expect(store.create(secret, generic("x"))).rejects.toMatchObject({
        code: "call_refused",
        message: expect.stringContaining(`namespace ${namespace} is being deleted`),
      });
      // No controller is here to finish the deletion.
      const raw = JSON.stringify({
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: namespace },
        spec: { finalizers: [] },
      });
      await cluster.kubectl(["replace", "--raw", `/api/v1/namespaces/${namespace}/finalize`, "-f", "-"], raw);
      await expect(store.create(secret, generic("x"))).rejects.toMatchObject({
        code: "call_refused",
        message: expect.stringContaining(`namespace ${namespace} does not exist. Create it.`),
      });
    });
  });

  describe("when the API server or the way to it goes away", () => {
    /** What a watcher was told, as lines, from the first sync on. */
    async function record(store: KubernetesStore): Promise<string[]> {
      const told: string[] = [];
      onTestFinished(
        store.watch((change) => void told.push(change.kind === "reset" ? "reset" : `${change.kind} ${change.id.name}`)),
      );
      await store.synced();
      return told;
    }
    const named = (name: string) => id("", "", name);

    /** Makes etcd forget all but the present, and the API server what it remembers of the past. */
    async function forgetHistory(): Promise<void> {
      const post = async (path: string, body: object) => {
        const answer = await fetch(`${cluster.etcdUrl}${path}`, { method: "POST", body: JSON.stringify(body) });
        expect(answer.status).toBe(200);
        return (await answer.json()) as { header: { revision: string } };
      };
      const { header } = await post("/v3/kv/range", { key: Buffer.from("/").toString("base64") });
      await post("/v3/kv/compaction", { revision: header.revision, physical: true });
      await cluster.restartApiServer();
    }

    test("a watcher misses nothing over a restart, and calls meanwhile say that the store is away", async () => {
      const { store } = await setUp();
      const told = await record(store);
      await store.create(named("before"), generic("x"));
      const codes = new Set<string>();
      let isBack = false;
      const ask = async () => {
        while (!isBack) {
          codes.add(
            await store.get(named("before")).then(
              () => "found",
              (error: { code: string }) => error.code,
            ),
          );
          await delay(20);
        }
      };
      const asking = ask();
      await cluster.restartApiServer();
      isBack = true;
      await asking;
      expect([...codes].toSorted()).toEqual(["found", "store_unavailable"]);
      await store.update(named("before"), SecretValue.fromText("y"));
      await store.delete(named("before"));
      await expect
        .poll(() => told, { timeout: 20_000 })
        .toEqual(["reset", "put before", "put before", "delete before"]);
    });

    test("what happened while the way was cut is told when it is back, and readiness tells the difference", async () => {
      const way = await openCuttableWay(cluster);
      onTestFinished(() => way.close());
      const { store, namespace } = await setUp({ client: connect(way.kubeconfig) });
      const local = await openIn(namespace);
      onTestFinished(() => local.close());
      for (const name of ["deleted", "updated", "kept"]) await local.create(named(name), generic("x"));
      const told = await record(store);
      way.cut();
      await expect(store.check()).rejects.toMatchObject({ code: "store_unavailable" });
      await local.delete(named("deleted"));
      await local.update(named("updated"), SecretValue.fromText("y"));
      await local.create(named("new"), generic("x"));
      way.restore();
      await expect.poll(() => told, { timeout: 20_000 }).toEqual(["reset", "delete deleted", "put updated", "put new"]);
      await store.check();
    });

    test("after the history is gone the outcome is told, and a page token has expired", async () => {
      const way = await openCuttableWay(cluster);
      onTestFinished(() => way.close());
      const { store, namespace } = await setUp({ client: connect(way.kubeconfig) });
      const local = await openIn(namespace);
      onTestFinished(() => local.close());
      for (const name of ["deleted", "updated", "kept"]) await local.create(named(name), generic("x"));
      const told = await record(store);
      const { token } = await local.list(listRequest({ limit: 1 }));
      way.cut();
      await local.delete(named("deleted"));
      await local.update(named("updated"), SecretValue.fromText("y"));
      await local.create(named("passing"), generic("x"));
      await local.delete(named("passing"));
      await local.create(named("new"), generic("x"));
      await forgetHistory();
      way.restore();
      await expect
        .poll(() => told.toSorted(), { timeout: 20_000 })
        .toEqual(["delete deleted", "put new", "put updated", "reset"]);
      await expect(local.list(listRequest({ limit: 1, token }))).rejects.toMatchObject({ code: "page_token_expired" });
    });
  });
});
