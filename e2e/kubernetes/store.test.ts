import { randomUUID } from "node:crypto";
import { runService } from "@flyte-secrets/cli/testing";
import { loadConfig } from "@flyte-secrets/config";
import {
  encodeSecretId,
  imagePullLabels,
  imagePullSecretName,
  kubernetesSecretName,
  SecretValue,
} from "@flyte-secrets/core";
import { type KubeSecret, SECRETS } from "@flyte-secrets/kube";
import type { KubernetesStore } from "@flyte-secrets/store";
import {
  createTemporaryDirectory,
  describeSecretStore,
  generic,
  listRequest,
  readText,
} from "@flyte-secrets/testkit/vitest";
import { describe, expect, onTestFinished, test } from "vitest";
import { flytesSecret } from "../support/flytes-secret.ts";
import { describeWith } from "../support/requirement.ts";
import { requireKubernetes } from "./cluster.ts";
import { connect, id, log, useStores } from "./store-fixture.ts";

describeWith(requireKubernetes(), "the Kubernetes store on a real API server", () => {
  const { cluster, openIn, setUp, startHarness } = useStores();

  describeSecretStore("the Kubernetes store", startHarness);

  const scopes = [id("development", "shop"), id("development", ""), id("", "")];

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
        ({ apiVersion, kind, type, metadata: { name, labels, annotations }, data }: KubeSecret) => ({
          apiVersion,
          kind,
          type,
          metadata: { name, labels, ...(annotations && { annotations }) },
          data,
        }),
      );
      interface Named {
        readonly metadata: { readonly name: string };
      }
      const byName = (a: Named, b: Named) => (a.metadata.name < b.metadata.name ? -1 : 1);
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
      const other = connect(cluster().adminKubeconfig);
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
      const pulls = `pulls-${randomUUID()}`;
      await cluster().kubectl(["create", "namespace", pulls]);
      const { store, ...rest } = await setUp({ imagePullNamespace: pulls });
      const twins = async (): Promise<KubeSecret[]> =>
        JSON.parse(await cluster().kubectl(["get", "secrets", `--namespace=${pulls}`, "-o", "json"])).items;
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

  test("the service opens it as the configuration says, and kubectl finds what it was given", async () => {
    const { namespace, getSecrets } = await setUp();
    const home = createTemporaryDirectory();
    const flags = {
      "secret.store.type": "Kubernetes",
      "secret.store.path": home,
      "secret.kubernetes.kubeconfig": cluster().adminKubeconfig,
      "secret.kubernetes.namespace": namespace,
      "secret.auth.mode": "none",
      "secret.server.host": "127.0.0.1",
      "secret.server.port": "0",
      "secret.webhookURL": "",
    };
    const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags, home, cwd: home });
    const { endpoint, close } = await runService(config, { log, cluster: { env: {}, home } });
    onTestFinished(close);
    const call = async (method: string, body: object) => {
      const answer = await fetch(`${endpoint}/flyteidl2.secret.SecretService/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      return [answer.status, await answer.json()];
    };
    const key = { name: "api-key", domain: "development", project: "shop" };
    expect((await fetch(`${endpoint}/readyz`)).status).toBe(200);
    expect(await call("CreateSecret", { id: key, secretSpec: { stringValue: "v" } })).toEqual([200, {}]);
    expect(await getSecrets()).toMatchObject([flytesSecret(id("development", "shop"), "v")]);
    expect(await call("GetSecret", { id: key })).toMatchObject([
      200,
      { secret: { secretMetadata: { secretStatus: { clusterStatus: [{ cluster: { name: "flyte-devbox" } }] } } } },
    ]);
    expect(await call("ListSecrets", { limit: 1, token: "made up" })).toMatchObject([
      400,
      { code: "invalid_argument" },
    ]);
  });
});
