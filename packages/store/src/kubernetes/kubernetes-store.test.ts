import {
  imagePullLabels,
  imagePullSecretName,
  kubernetesSecretName,
  type SecretId,
  SecretsError,
  SecretValue,
  systemClock,
  TYPE_LABEL,
} from "@flyte-secrets/core";
import type { KubeClient, KubeObject, KubeSecret } from "@flyte-secrets/kube";
import { createMemoryApi } from "@flyte-secrets/kube/testing";
import { describeSecretStore, generic, listRequest, readText, type StoreHarness } from "@flyte-secrets/testkit/vitest";
import { pino } from "pino";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type Consistency, type KubernetesStore, openKubernetesStore } from "./kubernetes-store.ts";

const NAMESPACE = "values";
const PULLS = "pulls";
const SYSTEM = { "app.flyte.org/system": "true" };

/** A store over an API server in memory, which does something whenever the store has read an object. */
async function setUp(clusterName = "one", log = pino({ enabled: false }), consistency?: Consistency) {
  const api = createMemoryApi();
  const afterGet: (() => void)[] = [];
  const calls: string[] = [];
  const reads: string[] = [];
  const counted = <A extends unknown[], R>(name: string, call: (...args: A) => R) =>
    ((...args: A) => {
      calls.push(name);
      return call(...args);
    }) as typeof call;
  const client: KubeClient = {
    ...api.client,
    list: counted("list", api.client.list),
    create: counted("create", api.client.create),
    replace: counted("replace", api.client.replace),
    delete: counted("delete", api.client.delete),
    async get(...args) {
      calls.push("get");
      const object = await api.client.get(...args);
      if (object !== undefined) afterGet.shift()?.();
      return object;
    },
    server: "https://api.example.com (a test)",
    namespace: undefined,
    request: () => Promise.reject(new Error("the store asks for objects alone")),
    close() {},
  };
  const open = async (): Promise<KubernetesStore> => {
    const names = { namespace: NAMESPACE, imagePullNamespace: PULLS, clusterName };
    const store = await openKubernetesStore({
      ...names,
      client,
      clock: systemClock,
      log,
      observeRead: (from) => void reads.push(from),
      ...(consistency && { consistency }),
    });
    onTestFinished(() => store.close());
    return store;
  };
  const read = (id: SecretId): KubeObject => {
    const secret = api.read(kubernetesSecretName(id), NAMESPACE);
    if (secret === undefined) throw new Error(`there is no Secret of ${id.name}`);
    return secret;
  };
  const label = (id: SecretId, labels: Record<string, string>) => {
    const { metadata, ...rest } = read(id);
    api.put({ ...rest, metadata: { ...metadata, labels: { ...metadata.labels, ...labels } } });
  };
  return { api, store: await open(), open, read, label, afterGet, calls, reads };
}

let clusters = 0;
describe.each<Consistency>(["strong", "eventual"])("with %s consistency", (consistency) => {
  describeSecretStore("the Kubernetes store over an API server in memory", async (): Promise<StoreHarness> => {
    clusters += 1;
    const { store, open, label } = await setUp(`cluster-${clusters}`, undefined, consistency);
    return {
      store,
      connect: open,
      markSystem: async (id) => label(id, SYSTEM),
      // Every client that this makes is one of these.
      watching: (client) => (client as KubernetesStore).synced(),
      close: async () => {},
    };
  });
});

const id: SecretId = { org: "flyte", domain: "development", project: "shop", name: "api-key" };

test("more secrets than the API server sends in a page are listed in one answer", async () => {
  const { store } = await setUp();
  const names = Array.from({ length: 230 }, (_, at) => `key-${at}`);
  for (const name of names) await store.create({ ...id, name }, generic("x"));
  const { entries, token } = await store.list(listRequest({ limit: 500 }));
  expect([entries.map((entry) => entry.id.name).toSorted(), token]).toEqual([names.toSorted(), ""]);
});

test("only the state that was read is deleted: a secret that became a system secret meanwhile stays", async () => {
  const { store, read, label, afterGet } = await setUp();
  await store.create(id, generic("x"));
  afterGet.push(() => label(id, SYSTEM));
  await expect(store.delete(id)).rejects.toMatchObject({ code: "not_found" });
  expect(read(id).metadata.labels).toMatchObject(SYSTEM);
});

test("a secret that became an image-pull secret meanwhile is deleted together with its second Secret", async () => {
  const { api, store, label, afterGet } = await setUp();
  await store.create(id, generic("x"));
  afterGet.push(() => {
    label(id, { [TYPE_LABEL.name]: TYPE_LABEL.imagePull });
    const metadata = { namespace: PULLS, name: imagePullSecretName(id), labels: imagePullLabels(id) };
    api.put<KubeSecret>({ apiVersion: "v1", kind: "Secret", type: "kubernetes.io/dockerconfigjson", metadata });
  });
  await store.delete(id);
  expect([api.read(kubernetesSecretName(id)), api.read(imagePullSecretName(id))]).toEqual([undefined, undefined]);
});

test("an update over a change of somebody else keeps that change", async () => {
  const { store, read, label, afterGet } = await setUp();
  await store.create(id, generic("1"));
  afterGet.push(() => label(id, { team: "payments" }));
  await store.update(id, SecretValue.fromText("2"));
  expect(read(id).metadata.labels).toMatchObject({ team: "payments" });
  expect(await readText(store, id)).toBe("2");
});

test("a secret that is deleted during an update is not found, and is not created again", async () => {
  const { api, store, afterGet } = await setUp();
  await store.create(id, generic("1"));
  afterGet.push(() => api.remove(kubernetesSecretName(id)));
  await expect(store.update(id, SecretValue.fromText("2"))).rejects.toMatchObject({ code: "not_found" });
  expect(api.read(kubernetesSecretName(id))).toBeUndefined();
});

test("an immutable Secret is refused with what to do", async () => {
  const { api, store, read } = await setUp();
  await store.create(id, generic("1"));
  api.put({ ...read(id), immutable: true });
  await expect(store.update(id, SecretValue.fromText("2"))).rejects.toMatchObject({
    code: "call_refused",
    message: expect.stringContaining("is immutable. Delete the secret and create it."),
  });
});

test("a create whose second half fails takes back what it made", async () => {
  const { api, store } = await setUp();
  const failure = new SecretsError("call_refused", "exceeded quota");
  let isFirst = true;
  Object.defineProperty(api, "failure", {
    get() {
      if (!isFirst || api.writes.length < 2) return undefined;
      isFirst = false;
      return failure;
    },
  });
  const value = SecretValue.fromText('{"auths":{}}');
  await expect(store.create(id, { value, type: "image_pull" })).rejects.toBe(failure);
  expect([api.read(kubernetesSecretName(id)), api.read(imagePullSecretName(id))]).toEqual([undefined, undefined]);
});

test("an image-pull secret has a second Secret, which follows updates and goes with it", async () => {
  const { api, store } = await setUp();
  const input = (host: string) => SecretValue.fromText(JSON.stringify({ auths: { [host]: {} } }));
  const pulled = () => {
    const secret: (KubeObject & Pick<KubeSecret, "data">) | undefined = api.read(imagePullSecretName(id), PULLS);
    return secret && Buffer.from(secret.data?.[".dockerconfigjson"] ?? "", "base64").toString();
  };
  await store.create(id, { value: input("one"), type: "image_pull" });
  expect(pulled()).toBe('{"auths":{"one":{}}}');
  await store.update(id, input("two"));
  expect(pulled()).toBe('{"auths":{"two":{}}}');
  await store.delete(id);
  expect(pulled()).toBeUndefined();
});

test("the second Secret goes first, so that a delete that fails between the two can be repeated", async () => {
  const { api, store } = await setUp();
  await store.create(id, { value: SecretValue.fromText('{"auths":{}}'), type: "image_pull" });
  const failure = new SecretsError("store_unavailable", "down");
  Object.defineProperty(api, "failure", { get: () => (api.read(imagePullSecretName(id)) ? undefined : failure) });
  await expect(store.delete(id)).rejects.toBe(failure);
  expect([api.read(kubernetesSecretName(id)), api.read(imagePullSecretName(id))]).toEqual([
    expect.anything(),
    undefined,
  ]);
});

test("a Secret that something else manages is read, but neither updated nor deleted without force", async () => {
  const { api, store, read } = await setUp();
  const id = { org: "flyte", domain: "dev", project: "owned", name: "api-key" };
  await store.create(id, generic("theirs"));
  const secret = read(id);
  const owner = { apiVersion: "external-secrets.io/v1", kind: "ExternalSecret", name: "api-key", uid: "1" };
  const { name } = secret.metadata;
  api.put({ ...secret, metadata: { ...secret.metadata, ownerReferences: [owner] } });
  const refused = {
    code: "call_refused",
    message:
      `secret api-key is kept by ExternalSecret api-key: change it there, as a change of Secret ${name} in namespace values would be ` +
      "undone or lost. flyte-secrets update and delete change it all the same with --force.",
  };
  await expect(store.update(id, SecretValue.fromText("ours"))).rejects.toMatchObject(refused);
  await expect(store.delete(id)).rejects.toMatchObject(refused);
  expect(await readText(store, id)).toBe("theirs");
  await store.update(id, SecretValue.fromText("ours"), { force: true });
  expect(await readText(store, id)).toBe("ours");
  // Nothing of ours is in the object.
  expect(read(id)).not.toHaveProperty("owner");
  await store.delete(id, { force: true });
  expect(await store.get(id)).toBeUndefined();
});

test("a second Secret that something else keeps is neither overwritten nor deleted, also not when a create is undone", async () => {
  const { api, store, read } = await setUp();
  const id = { org: "flyte", domain: "", project: "", name: "owned-registry" };
  const config = (user: string) => SecretValue.fromText(`{"auths":{"ghcr.io":{"auth":"${user}"}}}`);
  const name = imagePullSecretName(id);
  const metadata = { name, namespace: PULLS, labels: { "app.kubernetes.io/managed-by": "argocd" } };
  const theirs = { apiVersion: "v1", kind: "Secret", metadata, type: "kubernetes.io/dockerconfigjson" };
  api.put({ ...theirs, data: { ".dockerconfigjson": config("them").revealBase64() } } as KubeSecret);
  await expect(store.create(id, { value: config("us"), type: "image_pull" })).rejects.toMatchObject({
    code: "call_refused",
    message: expect.stringContaining("owned-registry is kept by argocd"),
  });
  expect(api.read(name, PULLS)).toMatchObject({ data: { ".dockerconfigjson": config("them").revealBase64() } });
  // The same content is no conflict.
  await store.create(id, { value: config("them"), type: "image_pull" });
  await expect(store.delete(id)).rejects.toMatchObject({ code: "call_refused" });
  expect(read(id)).toBeDefined();
  await store.delete(id, { force: true });
  expect(api.read(name, PULLS)).toBeUndefined();
});

test("a listing skips a Secret of the wrong name, and logs the name that it needs", async () => {
  const lines: string[] = [];
  const { api, store } = await setUp(
    "one",
    pino({ level: "warn" }, { write: (line: string) => void lines.push(line) }),
  );
  const id = { org: "flyte", domain: "dev", project: "misnamed", name: "api-key" };
  await store.create(id, generic("canary"));
  const { metadata, ...rest } = api.read(kubernetesSecretName(id), NAMESPACE) ?? expect.fail("no Secret");
  api.remove(kubernetesSecretName(id), NAMESPACE);
  const { resourceVersion: _, ...others } = metadata;
  api.put({ ...rest, metadata: { ...others, name: "api-key" } });
  expect((await store.list(listRequest({ scope: { ...id } }))).entries).toEqual([]);
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
    "skipped a Secret that holds no secret: its data key u__org__flyte__domain__dev__project__misnamed__key__api-key " +
      `belongs into a Secret named ${kubernetesSecretName(id)}`,
  ]);
  expect(lines.join("")).not.toMatch(/canary|Y2FuYXJ5/);
});

describe("a store that reads from memory", () => {
  /** It, once it relies on its watch, and the calls that it makes from then on. */
  async function setUpWatching() {
    const { calls, reads, store, ...rest } = await setUp("one", undefined, "eventual");
    await vi.waitFor(
      async () => {
        await store.list(listRequest());
        expect(reads.at(-1)).toBe("memory");
      },
      { timeout: 60_000 },
    );
    calls.length = 0;
    reads.length = 0;
    const taken = () => calls.splice(0);
    return { store, reads, taken, ...rest };
  }

  test("asks for nothing that it knows, for whatever it does not know, and always where strong", async () => {
    const { store, taken, label, reads } = await setUpWatching();
    await store.create(id, generic("x"));
    expect(taken()).toEqual(["create"]);
    expect(await store.get(id)).toMatchObject({ id, type: "generic", system: false });
    expect((await store.list(listRequest())).entries).toMatchObject([{ id }]);
    expect(taken()).toEqual([]);
    expect(await store.get({ ...id, name: "absent" })).toBeUndefined();
    expect(taken()).toEqual(["get"]);
    await store.get(id, { strong: true });
    await store.list(listRequest(), { strong: true });
    expect(taken()).toEqual(["get", "list"]);
    expect(reads).toEqual(["memory", "memory", "backend", "backend", "backend"]);
    label(id, SYSTEM);
    await vi.waitFor(async () => expect((await store.list(listRequest())).entries).toEqual([]));
    // That there is none is not answered from memory.
    expect(await store.get(id)).toBeUndefined();
    expect(taken()).toEqual(["get"]);
  });

  test("changes and deletes a Secret in one call, and reads one that somebody else has changed meanwhile", async () => {
    const { store, taken, read, label } = await setUpWatching();
    await store.create(id, generic("1"));
    await store.update(id, SecretValue.fromText("2"));
    expect(taken()).toEqual(["create", "replace"]);
    label(id, { team: "payments" });
    await store.update(id, SecretValue.fromText("3"));
    expect(taken()).toEqual(["replace", "get", "replace"]);
    expect(read(id).metadata.labels).toMatchObject({ team: "payments" });
    expect(await readText(store, id)).toBe("3");
    taken();
    // What it does not keep in memory has to be read.
    await store.update(id, SecretValue.fromText("4"));
    expect(taken()).toEqual(["get", "replace"]);
    expect(read(id).metadata.labels).toMatchObject({ team: "payments" });
    await store.delete(id);
    expect(taken()).toEqual(["delete"]);
    expect((await store.list(listRequest())).entries).toEqual([]);
  });

  test("keeps away from a Secret that somebody has made a controller's meanwhile", async () => {
    const { store, read, api } = await setUpWatching();
    await store.create(id, generic("1"));
    const { metadata, ...rest } = read(id);
    const ownerReferences = [{ apiVersion: "v1", kind: "ExternalSecret", name: "api", uid: "1" }];
    const own = () => api.put({ ...rest, metadata: { ...metadata, ownerReferences } });
    own();
    await expect(store.update(id, SecretValue.fromText("2"))).rejects.toMatchObject({ code: "call_refused" });
    await expect(store.delete(id)).rejects.toMatchObject({ code: "call_refused" });
  });

  test("goes on with a listing at the API server when the watch breaks, and the reverse", async () => {
    const { store, taken } = await setUpWatching();
    const names = Array.from({ length: 7 }, (_, at) => `key-${at}`);
    for (const name of names) await store.create({ ...id, name }, generic("x"));
    taken();
    const seen: string[] = [];
    let token = "";
    for (const strong of [false, true, false, true]) {
      const page = await store.list(listRequest({ limit: 2, token }), { strong });
      seen.push(...page.entries.map((entry) => entry.id.name));
      ({ token } = page);
    }
    expect([seen.toSorted(), token, taken()]).toEqual([names, "", ["list", "list"]]);
    const first = await store.list(listRequest({ limit: 3 }), { strong: true });
    const rest = await store.list(listRequest({ limit: 10, token: first.token }));
    expect([...first.entries, ...rest.entries].map((entry) => entry.id.name).toSorted()).toEqual(names);
  });
});
