// The Kubernetes store that reads from memory, on a real API server.
import { setTimeout as delay } from "node:timers/promises";
import { kubernetesSecretName, type SecretId, SecretValue } from "@flyte-secrets/core";
import { createLogger } from "@flyte-secrets/http";
import type { KubeClient, ObservedRequest } from "@flyte-secrets/kube";
import type { KubernetesStore, KubernetesStoreOptions } from "@flyte-secrets/store";
import { checkOwnWrites, generic, listRequest, readText } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test, vi } from "vitest";
import { flytesSecret } from "../support/flytes-secret.ts";
import { describeWith } from "../support/requirement.ts";
import { requireKubernetes } from "./cluster.ts";
import { type CuttableWay, openCuttableWay } from "./cut-connections.ts";
import { connect, id, useStores } from "./store-fixture.ts";

const RULE = { apiGroups: [""], resources: ["secrets"] };
const VERBS = ["create", "get", "list", "update", "delete"];

describeWith(requireKubernetes(), "a store that reads from memory, on a real API server", () => {
  const { cluster, openIn, setUp } = useStores();
  const named = (name: string) => id("development", "shop", name);

  /** A store of its own over a way to the API server, once its watch is open, and the calls that it makes from then on. */
  async function setUpWatching(change: Partial<KubernetesStoreOptions> = {}, kubeconfig = cluster().adminKubeconfig) {
    const calls: string[] = [];
    const observe = ({ verb, status }: ObservedRequest) => {
      if (verb !== "watch") calls.push(status < 400 || status === 404 ? verb : `${verb} ${status}`);
    };
    const client = change.client ?? connect(kubeconfig, observe);
    const all = await setUp({ ...change, client, consistency: "eventual" });
    await all.store.synced();
    const taken = () => calls.splice(0);
    /** Waits until a secret is read without a call. */
    const untilWatching = (known: SecretId) =>
      vi.waitFor(
        async () => {
          taken();
          await all.store.get(known);
          expect(taken()).toEqual([]);
        },
        { timeout: 60_000, interval: 100 },
      );
    return { ...all, taken, untilWatching };
  }

  async function openWay(): Promise<CuttableWay> {
    const way = await openCuttableWay(cluster());
    onTestFinished(() => way.close());
    return way;
  }

  const names = async (store: KubernetesStore, strong = false) =>
    (await store.list(listRequest(), { strong })).entries.map((entry) => entry.id.name).toSorted();

  test("two replicas and kubectl in turns: no read is older than the replica's own write, and all agree in the end", async () => {
    /** Watches that deliver late, each event another time. */
    const late = (client: KubeClient): KubeClient => ({
      ...client,
      async *watch(...args) {
        for await (const event of client.watch(...args)) {
          await delay(Math.random() * 15);
          yield event;
        }
      },
    });
    const open = () => late(connect(cluster().adminKubeconfig));
    const { store, namespace, untilWatching } = await setUpWatching({ client: open() });
    await store.create(named("first"), generic("x"));
    await untilWatching(named("first"));
    const other = await openIn(namespace, { client: open(), consistency: "eventual" });
    onTestFinished(() => other.close());
    await other.synced();
    const somebody = connect(cluster().adminKubeconfig);
    onTestFinished(() => somebody.close());
    const plural = { apiVersion: "v1", kind: "Secret", plural: "secrets", decode: (value: unknown) => value as never };
    await checkOwnWrites(
      {
        replicas: [store, other],
        async mark(secret, system) {
          const name = kubernetesSecretName(secret);
          const patch = { metadata: { labels: { "app.flyte.org/system": String(system) } } };
          await somebody.patch(plural, { namespace, name, patch });
        },
        async remove(secret) {
          await somebody.delete(plural, { namespace, name: kubernetesSecretName(secret) });
        },
      },
      25,
    );
  });

  test("reads cost no call, a change costs one, and that a secret is missing is asked", async () => {
    const { store, taken, kubectl, untilWatching } = await setUpWatching();
    await store.create(named("a"), generic("1"));
    await untilWatching(named("a"));
    expect(await names(store)).toEqual(["a"]);
    await store.update(named("a"), SecretValue.fromText("2"));
    expect(taken()).toEqual(["update"]);
    expect(await store.get(named("b"))).toBeUndefined();
    expect(taken()).toEqual(["get"]);
    // Behind its back: it has to read what it does not know, and keeps what others have added.
    const name = kubernetesSecretName(named("a"));
    await kubectl(["annotate", "secret", name, "note=kept"]);
    await store.update(named("a"), SecretValue.fromText("3"));
    expect(await kubectl(["get", "secret", name, "-o", "jsonpath={.metadata.annotations.note}"])).toBe("kept");
    expect(await readText(store, named("a"))).toBe("3");
    await kubectl(["label", "secret", name, "app.flyte.org/system=true"]);
    await expect.poll(() => names(store)).toEqual([]);
    await expect(store.delete(named("a"))).rejects.toMatchObject({ code: "not_found" });
    await kubectl(["label", "secret", name, "app.flyte.org/system-"]);
    await expect.poll(() => names(store)).toEqual(["a"]);
    await store.delete(named("a"));
    expect([await names(store), await names(store, true)]).toEqual([[], []]);
    await kubectl(["delete", "secret", "--all"]);
  });

  test("a Secret of a foreign shape is neither listed nor in the way, and kubectl's deletion is seen", async () => {
    const { store, apply, kubectl, untilWatching } = await setUpWatching();
    await apply(
      { ...flytesSecret(named("damaged"), "x"), data: { other: "eA==" } },
      { ...flytesSecret(named("empty"), "x"), data: {} },
      flytesSecret(named("good"), "x"),
    );
    await untilWatching(named("good"));
    await expect.poll(() => names(store)).toEqual(["good"]);
    expect(await names(store, true)).toEqual(["good"]);
    await store.update(named("damaged"), SecretValue.fromText("repaired"));
    expect(await names(store)).toEqual(["damaged", "good"]);
    await kubectl(["delete", "secret", kubernetesSecretName(named("good"))]);
    await expect.poll(() => names(store)).toEqual(["damaged"]);
    expect(await store.get(named("good"))).toBeUndefined();
  });

  test("while the watch is cut every call asks, and writes of that time stay seen when it is back", async () => {
    const way = await openWay();
    const { store, namespace, taken, untilWatching } = await setUpWatching({}, way.kubeconfig);
    const local = await openIn(namespace);
    onTestFinished(() => local.close());
    for (const name of ["a", "b"]) await store.create(named(name), generic("1"));
    await untilWatching(named("a"));
    way.cut();
    await expect
      .poll(() => store.get(named("a")).catch((error: { code: string }) => error.code), { timeout: 20_000 })
      .toBe("store_unavailable");
    await local.delete(named("b"));
    way.restore();
    await store.delete(named("a"));
    await store.create(named("c"), generic("1"));
    // By the API server or from memory, whichever it is at that moment.
    for (let at = 0; at < 50; at++) expect(await names(store)).toEqual(["c"]);
    await untilWatching(named("c"));
    taken();
    expect(await names(store)).toEqual(["c"]);
    expect(taken()).toEqual([]);
  });

  test("after the history is gone everything is listed again", async () => {
    const way = await openWay();
    const { store, namespace, untilWatching } = await setUpWatching({}, way.kubeconfig);
    const local = await openIn(namespace);
    onTestFinished(() => local.close());
    for (const name of ["deleted", "kept"]) await store.create(named(name), generic("x"));
    await untilWatching(named("kept"));
    way.cut();
    await local.delete(named("deleted"));
    await local.create(named("new"), generic("x"));
    const post = async (path: string, body: object) => {
      const answer = await fetch(`${cluster().etcdUrl}${path}`, { method: "POST", body: JSON.stringify(body) });
      return (await answer.json()) as { header: { revision: string } };
    };
    const { header } = await post("/v3/kv/range", { key: Buffer.from("/").toString("base64") });
    await post("/v3/kv/compaction", { revision: header.revision, physical: true });
    await cluster().restartApiServer();
    way.restore();
    await untilWatching(named("kept"));
    expect(await names(store)).toEqual(["kept", "new"]);
  });

  test("while the API server stands still secrets are read all the same, and missing ones are not made up", async () => {
    const { store, untilWatching } = await setUpWatching();
    await store.create(named("a"), generic("x"));
    await untilWatching(named("a"));
    const ask = (name: string, strong: boolean) =>
      store.get(named(name), { strong, signal: AbortSignal.timeout(1_000) }).then(
        (record) => record?.id.name,
        (error: { code: string }) => error.code,
      );
    cluster().apiServer.pause();
    try {
      // A signal takes a moment.
      await expect.poll(() => ask("a", true), { timeout: 20_000 }).toBe("deadline_exceeded");
      expect(await ask("a", false)).toBe("a");
      expect(await names(store)).toEqual(["a"]);
      expect(await ask("b", false)).toBe("deadline_exceeded");
    } finally {
      cluster().apiServer.resume();
    }
    await store.update(named("a"), SecretValue.fromText("y"));
  });

  test("10,000 secrets are listed page by page as the API server lists them, without a call, also after a restart", async () => {
    const { store, namespace, taken } = await setUpWatching();
    let made = 0;
    const create = async () => {
      while (made < 10_000) await store.create(named(`key-${made++}`), generic("x"));
    };
    await Promise.all(Array.from({ length: 32 }, create));
    const list = async (from: KubernetesStore, strong: boolean) => {
      const listed: string[] = [];
      let token = "";
      do {
        const page = await from.list(listRequest({ limit: 700, token }), { strong });
        listed.push(...page.entries.map((entry) => entry.id.name));
        ({ token } = page);
      } while (token !== "");
      return listed;
    };
    const wanted = await list(store, true);
    expect(new Set(wanted).size).toBe(10_000);
    taken();
    expect(await list(store, false)).toEqual(wanted);
    expect(taken()).toEqual([]);
    await store.close();
    const restarted = await setUpWatching({ namespace });
    await restarted.untilWatching(named("key-0"));
    restarted.taken();
    expect(await list(restarted.store, false)).toEqual(wanted);
    expect(restarted.taken()).toEqual([]);
  });

  test("without the right to watch it goes on by asking and logs the missing right once", async () => {
    const { namespace } = await setUp();
    const account = { namespace, name: "service" };
    const kubeconfig = await cluster().createAccount({ ...account, rules: [{ ...RULE, verbs: VERBS }] });
    const lines: string[] = [];
    const log = createLogger(
      { level: "warn", mute: false, "show-source": false, formatter: { type: "json" } },
      { write: (line: string) => void lines.push(line) },
    );
    const way = await openCuttableWay(cluster(), kubeconfig);
    onTestFinished(() => way.close());
    const { store, taken, untilWatching } = await setUpWatching({ namespace, log }, way.kubeconfig);
    await store.create(named("a"), generic("x"));
    await vi.waitFor(() => expect(lines.join()).toContain("watch secrets"), 20_000);
    taken();
    expect(await store.get(named("a"))).toMatchObject({ id: named("a") });
    expect(await names(store)).toEqual(["a"]);
    expect(taken()).toEqual(["get", "list"]);
    await store.check();
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "{}")).toMatchObject({
      err: { message: expect.stringContaining('{apiGroups: [""], resources: [secrets], verbs: [watch]}') },
    });
    // Given later, and taken away again while it runs.
    await cluster().createAccount({ ...account, rules: [{ ...RULE, verbs: [...VERBS, "watch"] }] });
    await untilWatching(named("a"));
    await cluster().createAccount({ ...account, rules: [{ ...RULE, verbs: VERBS }] });
    // The API server looks at rights when a watch begins.
    way.cut();
    way.restore();
    await vi.waitFor(async () => {
      taken();
      await store.get(named("a"));
      expect(taken()).toEqual(["get"]);
    }, 20_000);
    await store.update(named("a"), SecretValue.fromText("y"));
    await store.check();
  });
});
