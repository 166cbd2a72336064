import { setTimeout as delay } from "node:timers/promises";
import { SecretValue } from "@flyte-secrets/core";
import type { KubernetesStore } from "@flyte-secrets/store";
import { generic, listRequest } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { requireKubernetes } from "./cluster.ts";
import { openCuttableWay } from "./cut-connections.ts";
import { connect, id, useStores } from "./store-fixture.ts";

describeWith(requireKubernetes(), "the Kubernetes store while a real API server or the way to it is away", () => {
  const { cluster, openIn, setUp } = useStores();

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

  /** A store on a way that can be cut, and another to the same Secrets on a way that can't. */
  async function setUpApart() {
    const way = await openCuttableWay(cluster());
    onTestFinished(() => way.close());
    const { store, namespace } = await setUp({ client: connect(way.kubeconfig) });
    const local = await openIn(namespace);
    onTestFinished(() => local.close());
    return { way, store, local };
  }

  /** Makes etcd forget all but the present, and the API server what it remembers of the past. */
  async function forgetHistory(): Promise<void> {
    const post = async (path: string, body: object) => {
      const answer = await fetch(`${cluster().etcdUrl}${path}`, { method: "POST", body: JSON.stringify(body) });
      expect(answer.status).toBe(200);
      return (await answer.json()) as { header: { revision: string } };
    };
    const { header } = await post("/v3/kv/range", { key: Buffer.from("/").toString("base64") });
    await post("/v3/kv/compaction", { revision: header.revision, physical: true });
    await cluster().restartApiServer();
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
    await cluster().restartApiServer();
    isBack = true;
    await asking;
    expect([...codes].toSorted()).toEqual(["found", "store_unavailable"]);
    // Of what happens before the watcher is back, only the outcome may be told.
    await store.create(named("after"), generic("x"));
    await expect.poll(() => told, { timeout: 20_000 }).toEqual(["reset", "put before", "put after"]);
    await store.update(named("before"), SecretValue.fromText("y"));
    await store.delete(named("before"));
    await expect.poll(() => told.slice(3), { timeout: 20_000 }).toEqual(["put before", "delete before"]);
  });

  test("what happened while the way was cut is told when it is back, and readiness tells the difference", async () => {
    const { way, store, local } = await setUpApart();
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
    const { way, store, local } = await setUpApart();
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
