import { encodeSecretId, kubernetesSecretName, managedLabels, SecretsError } from "@flyte-secrets/core";
import { type KubeSecret, SECRETS } from "@flyte-secrets/kube";
import { createMemoryApi, type MemoryApi } from "@flyte-secrets/kube/testing";
import { beforeEach, expect, test } from "vitest";
import { type CopiedSecret, copyManagedSecrets } from "./copy-managed-secrets.ts";

/** What the API server adds. */
const STAMPS = {
  uid: expect.any(String),
  creationTimestamp: expect.any(String),
  resourceVersion: expect.any(String),
};

const idOf = (name: string) => ({ org: "flyte", domain: "development", project: "shop", name });
let api: MemoryApi;
beforeEach(() => {
  api = createMemoryApi();
});

function keep(namespace: string, name: string, value: string, rest: Partial<KubeSecret> = {}): void {
  const id = idOf(name);
  const metadata = { namespace, name: kubernetesSecretName(id), labels: managedLabels(id), uid: `uid-${namespace}` };
  const data = { [encodeSecretId(id)]: Buffer.from(value).toString("base64") };
  api.put<KubeSecret>({ apiVersion: "v1", kind: "Secret", type: "Opaque", metadata, data, ...rest });
}

async function copy(overwrite = false, dryRun = false): Promise<string[]> {
  const told: CopiedSecret[] = [];
  const options = { client: api.client, from: "flyte", to: "values", overwrite, dryRun };
  for await (const each of copyManagedSecrets(options)) told.push(each);
  return told.map(({ id, outcome }) => `${id.name} ${outcome}`).toSorted();
}

const read = (name: string) => api.client.get(SECRETS, { namespace: "values", name: kubernetesSecretName(idOf(name)) });

test("copies what is not there, with labels, annotations and type, and without what the cluster gave it", async () => {
  const labels = { ...managedLabels(idOf("a")), "app.flyte.org/system": "true" };
  const metadata = { namespace: "flyte", name: kubernetesSecretName(idOf("a")), labels, annotations: { by: "us" } };
  keep("flyte", "a", "value", { metadata: { ...metadata, uid: "1", ownerReferences: [] }, immutable: true });
  expect(await copy()).toEqual(["a copied"]);
  const copied = {
    apiVersion: "v1",
    kind: "Secret",
    type: "Opaque",
    immutable: true,
    metadata: { ...metadata, namespace: "values" },
    data: { [encodeSecretId(idOf("a"))]: "dmFsdWU=" },
  };
  expect(api.writes).toEqual([copied]);
  expect(await read("a")).toEqual({ ...copied, metadata: { ...copied.metadata, ...STAMPS } });
});

test("a copy has no marks of the tool that keeps the original, nor kubectl's note with a value of its own", async () => {
  const id = idOf("a");
  const labels = { ...managedLabels(id), "app.kubernetes.io/instance": "platform", team: "payments" };
  const tracking = { "argocd.argoproj.io/tracking-id": "platform:/Secret:flyte/a", note: "kept" };
  const annotations = { ...tracking, "kubectl.kubernetes.io/last-applied-configuration": "{}" };
  keep("flyte", "a", "value", {
    metadata: { namespace: "flyte", name: kubernetesSecretName(id), labels, annotations },
  });
  expect(await copy()).toEqual(["a copied"]);
  const { metadata } = (await read("a")) ?? expect.fail("nothing was copied");
  expect(metadata.labels).toEqual({ ...managedLabels(id), team: "payments" });
  expect(metadata.annotations).toEqual({ note: "kept" });
});

test("can be repeated, and leaves Secrets with another value unless overwrite is set", async () => {
  keep("flyte", "a", "one");
  keep("flyte", "b", "one");
  keep("values", "b", "two");
  expect(await copy()).toEqual(["a copied", "b differs"]);
  expect(await copy()).toEqual(["a unchanged", "b differs"]);
  expect(await copy(true)).toEqual(["a unchanged", "b overwritten"]);
  expect(await read("b")).toMatchObject({ data: { [encodeSecretId(idOf("b"))]: "b25l" } });
  expect(await copy()).toEqual(["a unchanged", "b unchanged"]);
});

test("a dry run reports the same and changes nothing", async () => {
  keep("flyte", "a", "one");
  keep("flyte", "b", "one");
  keep("values", "b", "two");
  expect(await copy(true, true)).toEqual(["a copied", "b overwritten"]);
  expect(api.writes).toEqual([]);
  expect(await copy(true)).toEqual(["a copied", "b overwritten"]);
});

test("a Secret that is created in the new namespace meanwhile is newer, and stays", async () => {
  keep("flyte", "a", "one");
  const { get } = api.client;
  api.client.get = async (...args) => {
    const found = await get(...args);
    keep("values", "a", "newer");
    return found;
  };
  expect(await copy(true)).toEqual(["a differs"]);
  api.client.get = get;
  expect(await read("a")).toMatchObject({ data: { [encodeSecretId(idOf("a"))]: "bmV3ZXI=" } });
});

test("copies those of every page", async () => {
  const names = Array.from({ length: 230 }, (_, at) => `key-${at}`);
  for (const name of names) keep("flyte", name, "value");
  expect(await copy()).toEqual(names.map((name) => `${name} copied`).toSorted());
});

test("passes over Secrets that hold no secret, and those of others", async () => {
  const labels = { "app.flyte.org/managed": "true" };
  api.put({ apiVersion: "v1", kind: "Secret", metadata: { namespace: "flyte", name: "empty", labels } });
  keep("elsewhere", "a", "value");
  expect(await copy()).toEqual([]);
});

test("reports what was copied before the API server refused a call", async () => {
  keep("flyte", "a", "value");
  api.failure = new SecretsError("call_refused", "exceeded quota");
  await expect(copy()).rejects.toBe(api.failure);
  api.failure = undefined;
  expect(await copy()).toEqual(["a copied"]);
});
