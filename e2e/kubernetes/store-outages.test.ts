import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { SecretValue } from "@flyte-secrets/core";
import type { KubernetesStore } from "@flyte-secrets/server";
import { generic, listRequest, readText } from "@flyte-secrets/testkit/vitest";
import { describe, expect, onTestFinished, test } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { type AccountRules, requireKubernetes } from "./cluster.ts";
import { openCuttableWay } from "./cut-connections.ts";
import { connect, id, useStores } from "./store-fixture.ts";

describeWith(requireKubernetes(), "the Kubernetes store when a real API server refuses or is away", () => {
  const { cluster, openIn, setUp } = useStores();

  describe("refusals", () => {
    const secret = id("", "");
    const account = (name: string, ...rules: AccountRules["rules"][number][]) =>
      cluster().createAccount({ namespace: "default", name, rules });
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
      await cluster().kubectl(["replace", "--raw", `/api/v1/namespaces/${namespace}/finalize`, "-f", "-"], raw);
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
      await store.update(named("before"), SecretValue.fromText("y"));
      await store.delete(named("before"));
      await expect
        .poll(() => told, { timeout: 20_000 })
        .toEqual(["reset", "put before", "put before", "delete before"]);
    });

    test("what happened while the way was cut is told when it is back, and readiness tells the difference", async () => {
      const way = await openCuttableWay(cluster());
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
      const way = await openCuttableWay(cluster());
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
