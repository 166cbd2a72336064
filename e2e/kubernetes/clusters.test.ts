import { kubernetesSecretName, type SecretId, SecretValue } from "@flyte-secrets/core";
import { createMultiClusterStore, type KubernetesStore } from "@flyte-secrets/server";
import { describeSecretStore, generic, listRequest, readText, type StoreHarness } from "@flyte-secrets/testkit/vitest";
import { describe, expect, onTestFinished, test } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { requireKubernetes } from "./cluster.ts";
import { openCuttableWay } from "./cut-connections.ts";
import { connect, useStores } from "./store-fixture.ts";

/** Two namespaces of one API server stand for two clusters: the store knows them by their clients only. */
describeWith(requireKubernetes(), "a store over several clusters", () => {
  const { cluster, openIn } = useStores();
  let tests = 0;

  const openMember = (namespace: string, kubeconfig = cluster().adminKubeconfig) =>
    openIn(namespace, { client: connect(kubeconfig), clusterName: namespace, mayBeAway: true });

  async function start(): Promise<StoreHarness> {
    tests += 1;
    const namespaces = [`east-${tests}`, `west-${tests}`] as const;
    const opened = new Map<unknown, KubernetesStore>();
    const open = async () => {
      const [east, west] = [await openMember(namespaces[0]), await openMember(namespaces[1])];
      const store = createMultiClusterStore([
        { cluster: namespaces[0], store: east },
        { cluster: namespaces[1], store: west },
      ]);
      opened.set(store, east);
      onTestFinished(() => store.close());
      return store;
    };
    return {
      store: await open(),
      connect: open,
      async markSystem(id) {
        for (const namespace of namespaces) {
          const label = ["label", "secret", kubernetesSecretName(id), "app.flyte.org/system=true"];
          await cluster().kubectl([`--namespace=${namespace}`, ...label]);
        }
      },
      watching: async (client) => opened.get(client)?.synced(),
      async close() {},
    };
  }

  describeSecretStore("a store over two clusters", start);

  describe("with one cluster away", () => {
    const id = (name: string): SecretId => ({ org: "flyte", domain: "", project: "", name });

    async function setUp() {
      tests += 1;
      const names = { near: `near-${tests}`, far: `far-${tests}` };
      const way = await openCuttableWay(cluster());
      onTestFinished(() => way.close());
      const near = await openMember(names.near);
      const far = await openMember(names.far, way.kubeconfig);
      const store = createMultiClusterStore([
        { cluster: names.near, store: near },
        { cluster: names.far, store: far },
      ]);
      onTestFinished(() => store.close());
      const presence = (record: { clusters: readonly { presence: string }[] } | undefined) =>
        record?.clusters.map((each) => each.presence);
      return { store, near, far, way, names, presence };
    }

    test("a create that reaches only one names the other, and the same call completes it", async () => {
      const { store, far, way, names, presence } = await setUp();
      way.cut();
      await expect(store.create(id("a"), generic("v"))).rejects.toMatchObject({
        code: "store_unavailable",
        message: expect.stringMatching(
          `^secret a: done in ${names.near}, but not in ${names.far} \\(store_unavailable: .*\\) Repeat the call to complete it\\.$`,
        ),
      });
      expect(presence(await store.get(id("a")))).toEqual(["present", "unknown"]);
      expect(await readText(store, id("a"))).toBe("v");
      way.restore();
      expect(presence(await store.get(id("a")))).toEqual(["present", "missing"]);
      await expect(store.create(id("a"), generic("another"))).rejects.toMatchObject({ code: "already_exists" });
      expect(presence(await store.create(id("a"), generic("v")))).toEqual(["present", "present"]);
      expect(await readText(far, id("a"))).toBe("v");
      await expect(store.create(id("a"), generic("v"))).rejects.toMatchObject({ code: "already_exists" });
    });

    test("an update and a delete that reach only one are completed by the same call", async () => {
      const { store, near, far, way } = await setUp();
      await store.create(id("a"), generic("old"));
      way.cut();
      await expect(store.update(id("a"), SecretValue.fromText("new"))).rejects.toMatchObject({
        code: "store_unavailable",
      });
      way.restore();
      await store.update(id("a"), SecretValue.fromText("new"));
      expect([await readText(near, id("a")), await readText(far, id("a"))]).toEqual(["new", "new"]);
      way.cut();
      await expect(store.delete(id("a"))).rejects.toMatchObject({ code: "store_unavailable" });
      // Whether the other has it can't be said.
      await expect(store.get(id("a"))).rejects.toMatchObject({ code: "store_unavailable" });
      way.restore();
      await store.delete(id("a"));
      expect(await store.get(id("a"))).toBeUndefined();
    });

    test("an update makes the secret where it is missing", async () => {
      const { store, near, far } = await setUp();
      await far.create(id("a"), generic("old"));
      await store.update(id("a"), SecretValue.fromText("new"));
      expect(await readText(near, id("a"))).toBe("new");
    });

    test("a listing goes over all of them, each secret once, and over those that answer", async () => {
      const { store, near, far, way, presence } = await setUp();
      for (let at = 0; at < 9; at++) {
        if (at % 3 !== 1) await near.create(id(`key-${at}`), generic("x"));
        if (at % 3 !== 2) await far.create(id(`key-${at}`), generic("x"));
      }
      const states = ["present present", "missing present", "present missing"];
      for (const limit of [1, 2, 5, 100]) {
        const seen = new Map<string, string | undefined>();
        for (let token: string | undefined; token !== ""; ) {
          const page = await store.list(listRequest({ limit, token: token ?? "" }));
          for (const entry of page.entries) {
            expect(seen.has(entry.id.name)).toBe(false);
            seen.set(entry.id.name, presence(entry)?.join(" "));
          }
          token = page.token;
        }
        expect([...seen].toSorted()).toEqual(Array.from({ length: 9 }, (_, at) => [`key-${at}`, states[at % 3]]));
      }
      way.cut();
      const page = await store.list(listRequest());
      expect([page.entries.length, page.token]).toEqual([6, ""]);
      expect(new Set(page.entries.map((entry) => presence(entry)?.join(" ")))).toEqual(new Set(["present unknown"]));
      await store.check();
    });
  });
});
