import {
  kubernetesSecretName,
  type SecretId,
  type SecretRecord,
  type SecretStore,
  SecretValue,
} from "@flyte-secrets/core";
import { createMultiClusterStore } from "@flyte-secrets/store";
import { describeSecretStore, generic, listRequest, readText, type StoreHarness } from "@flyte-secrets/testkit/vitest";
import { describe, expect, onTestFinished, test } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { requireKubernetes } from "./cluster.ts";
import { useStores } from "./store-fixture.ts";

/** Two API servers, each with an etcd of its own. */
describeWith(requireKubernetes(), "a store over several clusters", () => {
  const [east, west] = [useStores(), useStores()];
  let tests = 0;

  async function open(namespace: string, [nearest, other] = ["east", "west"]) {
    const near = await east.openIn(namespace, { clusterName: nearest, mayBeAway: true });
    const far = await west.openIn(namespace, { clusterName: other, mayBeAway: true });
    const store = createMultiClusterStore([
      { cluster: nearest, store: near },
      { cluster: other, store: far },
    ]);
    onTestFinished(() => store.close());
    return { store, near, far };
  }

  /** In a namespace of its own, which both clusters have. */
  function setUp() {
    tests += 1;
    return open(`clusters-${tests}`);
  }

  async function startHarness(): Promise<StoreHarness> {
    tests += 1;
    const namespace = `clusters-${tests}`;
    const synced = new Map<unknown, () => Promise<void>>();
    // What is written in one namespace is no other's, though the clusters are the same.
    const connect = async () => {
      const { store, near } = await open(namespace, [`east-${namespace}`, `west-${namespace}`]);
      synced.set(store, () => near.synced());
      return store;
    };
    return {
      store: await connect(),
      connect,
      async markSystem(id) {
        const label = ["label", "secret", kubernetesSecretName(id), "app.flyte.org/system=true"];
        for (const each of [east, west]) await each.cluster().kubectl([`--namespace=${namespace}`, ...label]);
      },
      watching: async (client) => synced.get(client)?.(),
      async close() {},
    };
  }

  describeSecretStore("a store over two clusters", startHarness);

  const id = (name: string): SecretId => ({ org: "flyte", domain: "", project: "", name });
  const presence = (record: SecretRecord | undefined) =>
    record?.clusters.map((each) => `${each.cluster} ${each.presence}`).join(", ");

  /** Secrets `key-0` to `key-8`: the first, and every third from there on, in both, the others in one. */
  async function spread(near: SecretStore, far: SecretStore): Promise<[string, string][]> {
    for (let at = 0; at < 9; at++) {
      if (at % 3 !== 1) await near.create(id(`key-${at}`), generic("x"));
      if (at % 3 !== 2) await far.create(id(`key-${at}`), generic("x"));
    }
    const states = ["east present, west present", "east missing, west present", "east present, west missing"];
    return Array.from({ length: 9 }, (_, at) => [`key-${at}`, states[at % 3] ?? ""]);
  }

  test("a write is in each cluster's own Secret, and the status names both", async () => {
    const { store } = await setUp();
    expect(presence(await store.create(id("a"), generic("v")))).toBe("east present, west present");
    for (const each of [east, west]) {
      const secret = [`--namespace=clusters-${tests}`, "get", "secret", kubernetesSecretName(id("a")), "-o", "json"];
      const { data } = JSON.parse(await each.cluster().kubectl(secret));
      expect(Object.values(data)).toEqual([Buffer.from("v").toString("base64")]);
    }
    await west.cluster().kubectl([`--namespace=clusters-${tests}`, "delete", "secret", kubernetesSecretName(id("a"))]);
    expect(presence(await store.get(id("a")))).toBe("east present, west missing");
  });

  test("an update makes the secret where it is missing", async () => {
    const { store, near, far } = await setUp();
    await far.create(id("a"), generic("old"));
    await store.update(id("a"), SecretValue.fromText("new"));
    expect(await readText(near, id("a"))).toBe("new");
  });

  test("a listing goes over both, each secret once, page by page", async () => {
    const { store, near, far } = await setUp();
    const all = await spread(near, far);
    for (const limit of [1, 2, 5, 100]) {
      const seen: [string, string | undefined][] = [];
      for (let token: string | undefined; token !== ""; ) {
        const page = await store.list(listRequest({ limit, token: token ?? "" }));
        expect(page.entries.length).toBeLessThanOrEqual(limit);
        for (const entry of page.entries) seen.push([entry.id.name, presence(entry)]);
        token = page.token;
      }
      expect(seen.toSorted()).toEqual(all);
    }
  });

  test("the tokens of the clusters alone lead to the next page too", async () => {
    const { store, near, far } = await setUp();
    const all = await spread(near, far);
    const seen: [string, string | undefined][] = [];
    let clusterTokens: Readonly<Record<string, string>> = {};
    do {
      const page = await store.list(listRequest({ limit: 2, clusterTokens }));
      for (const entry of page.entries) seen.push([entry.id.name, presence(entry)]);
      clusterTokens = page.clusterTokens;
    } while (Object.keys(clusterTokens).length > 0);
    expect(seen.map(([name]) => name).toSorted()).toEqual(all.map(([name]) => name));
  });

  describe("while the API server of one is killed", () => {
    const kill = () => west.cluster().apiServer.stop("SIGKILL");
    const restart = () => west.cluster().apiServer.start();

    test("a create that reaches only one names the other, and the same call completes it", async () => {
      const { store, far } = await setUp();
      await kill();
      onTestFinished(restart);
      await expect(store.create(id("a"), generic("v"))).rejects.toMatchObject({
        code: "store_unavailable",
        message: expect.stringMatching(
          /^secret a: done in east, but not in west \(store_unavailable: .*\) Repeat the call to complete it\.$/,
        ),
      });
      expect(presence(await store.get(id("a")))).toBe("east present, west unknown");
      expect(await readText(store, id("a"))).toBe("v");
      await store.check();
      await restart();
      expect(presence(await store.get(id("a")))).toBe("east present, west missing");
      await expect(store.create(id("a"), generic("another"))).rejects.toMatchObject({ code: "already_exists" });
      expect(presence(await store.create(id("a"), generic("v")))).toBe("east present, west present");
      expect(await readText(far, id("a"))).toBe("v");
      await expect(store.create(id("a"), generic("v"))).rejects.toMatchObject({ code: "already_exists" });
    });

    test("an update and a delete that reach only one are completed by the same call", async () => {
      const { store, near, far } = await setUp();
      for (const name of ["updated", "deleted"]) await store.create(id(name), generic("old"));
      await kill();
      onTestFinished(restart);
      const away = { code: "store_unavailable" };
      await expect(store.update(id("updated"), SecretValue.fromText("new"))).rejects.toMatchObject(away);
      await expect(store.delete(id("deleted"))).rejects.toMatchObject(away);
      // Whether the other has it can't be said.
      await expect(store.get(id("deleted"))).rejects.toMatchObject(away);
      await restart();
      await store.update(id("updated"), SecretValue.fromText("new"));
      expect([await readText(near, id("updated")), await readText(far, id("updated"))]).toEqual(["new", "new"]);
      await store.delete(id("deleted"));
      expect(await store.get(id("deleted"))).toBeUndefined();
    });

    test("a listing goes on without it, and says so of each secret", async () => {
      const { store, near, far } = await setUp();
      const all = await spread(near, far);
      const { entries, token } = await store.list(listRequest({ limit: 2 }));
      expect(entries).toHaveLength(2);
      await kill();
      onTestFinished(restart);
      const page = await store.list(listRequest());
      expect(page.token).toBe("");
      expect(page.entries.map((entry) => `${entry.id.name} ${presence(entry)}`).toSorted()).toEqual(
        all
          .filter(([, state]) => state.startsWith("east present"))
          .map(([name]) => `${name} east present, west unknown`),
      );
      await restart();
      const rest = await store.list(listRequest({ token }));
      const names = [...entries, ...rest.entries].map((entry) => entry.id.name);
      expect(names.toSorted()).toEqual(all.map(([name]) => name));
    });

    test("the nearest one's absence keeps nobody from reading", async () => {
      const { store } = await setUp();
      await store.create(id("a"), generic("v"));
      await east.cluster().apiServer.stop("SIGKILL");
      onTestFinished(() => east.cluster().apiServer.start());
      expect(await readText(store, id("a"))).toBe("v");
      expect(presence(await store.get(id("a")))).toBe("east unknown, west present");
    });
  });
});
