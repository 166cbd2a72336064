import { imagePullLabels, imagePullSecretName, type SecretId, SecretsError } from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";
import { createMemoryApi } from "@flyte-secrets/kube/testing";
import { createManualClock } from "@flyte-secrets/testkit";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { watchDeliveredSecrets } from "./delivered-secrets.ts";
import { createImagePullCopies } from "./image-pull-copies.ts";

/** What the API server adds. */
const STAMPS = {
  uid: expect.any(String),
  creationTimestamp: expect.any(String),
  resourceVersion: expect.any(String),
};

const SOURCE = "flyte";
const NAMESPACE = "shop-development";
const ID: SecretId = { org: "flyte", domain: "", project: "", name: "registry" };
const NAME = imagePullSecretName(ID);
const LIFETIMES = { unusedMs: 3_600_000, unnamedMs: 600_000 };
const START = "2026-01-02T03:04:05.000Z";
const type = "kubernetes.io/dockerconfigjson";
const dataOf = (value: string) => ({ ".dockerconfigjson": Buffer.from(value).toString("base64") });

function sourceOf(value: string): KubeSecret {
  const labels = { ...imagePullLabels(ID), "app.kubernetes.io/managed-by": "Helm" };
  const metadata = { namespace: SOURCE, name: NAME, labels };
  return { apiVersion: "v1", kind: "Secret", type, metadata, data: dataOf(value) };
}

/** What lies in the pod's namespace after a copy at {@link START}, and so many milliseconds later. */
function copyOf(value: string, afterMs = 0): KubeSecret {
  const labels = {
    ...imagePullLabels(ID),
    "app.flyte.org/managed-by": "flyte-secrets-webhook",
    "app.flyte.org/copied-from": SOURCE,
  };
  const annotations = { "app.flyte.org/needed-until": neededUntil(afterMs), "app.flyte.org/named-by-pod": "false" };
  const metadata = { namespace: NAMESPACE, name: NAME, labels, annotations };
  return { apiVersion: "v1", kind: "Secret", type, metadata, data: dataOf(value) };
}

const neededUntil = (afterMs: number) => new Date(Date.parse(START) + afterMs + LIFETIMES.unnamedMs).toISOString();
const stored = (secret: KubeSecret): KubeSecret => ({
  ...secret,
  metadata: { ...secret.metadata, ...STAMPS },
});

async function setUp(...secrets: KubeSecret[]) {
  const clock = createManualClock(Date.parse(START));
  const api = createMemoryApi();
  for (const secret of secrets) api.put(secret);
  const calls: string[] = [];
  const watching = { isRefused: false };
  const counted = new Proxy(api.client, {
    get(target, name) {
      // The names of a client's own calls.
      const verb = name as keyof typeof target;
      const call = target[verb] as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        if (verb === "watch" && watching.isRefused) throw new SecretsError("credentials_refused", "no permission");
        if (verb !== "list" && verb !== "watch") calls.push(verb);
        return call(...args);
      };
    },
  });
  const log = pino({ enabled: false });
  const open = async () => {
    const written = watchDeliveredSecrets({ client: counted, namespace: NAMESPACE, clock, log });
    const deliveredIn = (namespace: string) => (namespace === NAMESPACE ? written : undefined);
    const options = { client: counted, source: SOURCE, written: [written], deliveredIn, lifetimes: LIFETIMES };
    const copies = createImagePullCopies({ ...options, clock, log });
    onTestFinished(async () => {
      await copies.close();
      await written.close();
    });
    await clock.advance(0);
    return copies;
  };
  const copies = await open();
  return {
    api,
    clock,
    open,
    copies,
    watching,
    find: async () => copies.find(ID, {}),
    copy: async (namespace = NAMESPACE) => copies.copy(namespace, NAME, {}),
    read: () => api.read(NAME, NAMESPACE),
    async callsOf(work: () => Promise<unknown>) {
      calls.length = 0;
      await work();
      return [...calls];
    },
  };
}

test("the Secret that goes with an id is found by type and name, without asking", async () => {
  const { api, clock, find, callsOf } = await setUp(sourceOf("one"));
  expect(await callsOf(async () => expect(await find()).toBe(NAME))).toEqual([]);
  api.put({ ...sourceOf("one"), metadata: { ...sourceOf("one").metadata, labels: {} } });
  await clock.advance(0);
  expect(await find()).toBe(NAME);
  api.remove(NAME, SOURCE);
  await clock.advance(0);
  expect(await find()).toBeUndefined();
});

test("one that goes while nobody hears of it is none any more, and its copy goes with it", async () => {
  const { api, clock, find, copy, read } = await setUp(sourceOf("one"));
  await copy();
  expect(read()).toBeDefined();
  api.unseen(() => api.remove(NAME, SOURCE));
  await clock.advance(10_000);
  expect([await find(), read()]).toEqual([undefined, undefined]);
});

test("a watch that has said nothing for 100 s is not trusted: the API server is asked", async () => {
  const { clock, find, callsOf } = await setUp(sourceOf("one"));
  await clock.advance(99_999);
  expect(await callsOf(find)).toEqual([]);
  await clock.advance(1);
  expect(await callsOf(find)).toEqual(["get"]);
});

test("one of another type is none", async () => {
  const { find } = await setUp({ ...sourceOf("one"), type: "Opaque" });
  expect(await find()).toBeUndefined();
});

test("its copy has the content, the labels that describe it, and a note until when it is needed", async () => {
  const { copy, read, callsOf, clock, open } = await setUp(sourceOf("one"));
  expect(await callsOf(copy)).toEqual(["get", "get", "create"]);
  expect(read()).toEqual(stored(copyOf("one")));
  await clock.advance(0);
  expect(await callsOf(copy)).toEqual([]);
  const replica = await open();
  expect(await callsOf(async () => replica.copy(NAMESPACE, NAME, {}))).toEqual([]);
});

test("many pods at once are one copy", async () => {
  const { copy, callsOf } = await setUp(sourceOf("one"));
  expect(await callsOf(() => Promise.all(Array.from({ length: 50 }, () => copy())))).toEqual(["get", "get", "create"]);
});

test("how long it is needed is noted again once a quarter of the time is over", async () => {
  const { api, clock, copy, read, callsOf } = await setUp(sourceOf("one"));
  await copy();
  await clock.advance(LIFETIMES.unnamedMs / 4);
  api.put({ apiVersion: "v1", kind: "Secret", metadata: { name: "another", namespace: "any" } });
  await clock.advance(0);
  expect(await callsOf(copy)).toEqual(["get", "get", "patch"]);
  expect(read()).toEqual(stored(copyOf("one", LIFETIMES.unnamedMs / 4)));
});

test("in the namespace of the source nothing is copied", async () => {
  const { copy, callsOf } = await setUp(sourceOf("one"));
  expect(await callsOf(() => copy(SOURCE))).toEqual([]);
});

test("a namespace that is not listed is refused", async () => {
  const { copy } = await setUp(sourceOf("one"));
  await expect(copy("elsewhere")).rejects.toMatchObject({
    code: "namespace_not_writable",
    message: `Image-pull Secret ${NAME} is not copied to namespace elsewhere, since webhook.writtenSecrets.namespaces doesn't list it.`,
  });
});

test("it follows its source, keeping its note, and goes with it", async () => {
  const { api, clock, copy, read } = await setUp(sourceOf("one"));
  await copy();
  await clock.advance(60_000);
  api.put(sourceOf("two"));
  await clock.advance(0);
  expect(read()).toEqual(stored(copyOf("two")));
  api.remove(NAME, SOURCE);
  await clock.advance(0);
  expect(read()).toBeUndefined();
});

test("what changed while no webhook ran is made good at the start", async () => {
  const gone = imagePullSecretName({ ...ID, name: "gone" });
  const left = { ...copyOf("old"), metadata: { ...copyOf("old").metadata, name: gone } };
  const { api, read } = await setUp(sourceOf("new"), copyOf("old"), left);
  expect(read()).toEqual(stored(copyOf("new")));
  expect(api.read(gone)).toBeUndefined();
});

test("what somebody else makes of it is put right", async () => {
  const { api, clock, copy, read } = await setUp(sourceOf("one"));
  await copy();
  api.put(copyOf("tampered with"));
  await clock.advance(0);
  expect(read()).toEqual(stored(copyOf("one")));
});

test("several replicas keep it in step at once", async () => {
  const { api, clock, copy, open, read } = await setUp(sourceOf("one"));
  await copy();
  for (let replica = 0; replica < 4; replica++) await open();
  api.put(sourceOf("two"));
  await clock.advance(1_000);
  expect(read()).toEqual(stored(copyOf("two")));
});

test("a copy that cannot follow is tried again", async () => {
  const { api, clock, copy, read } = await setUp(sourceOf("one"));
  await copy();
  api.failure = new SecretsError("credentials_refused", "no permission to patch secrets");
  api.put(sourceOf("two"));
  await clock.advance(0);
  expect(read()).toEqual(stored(copyOf("one")));
  api.failure = undefined;
  await clock.advance(10_000);
  expect(read()).toEqual(stored(copyOf("two")));
});

/** As Flyte's webhook makes them: with the source's labels and nothing more. */
function flytesCopyOf(value: string, rest: object = {}, labels: object = {}): KubeSecret {
  const metadata = {
    namespace: NAMESPACE,
    name: NAME,
    labels: { ...sourceOf(value).metadata.labels, ...labels },
    ...rest,
  };
  return { apiVersion: "v1", kind: "Secret", type, metadata, data: dataOf(value) };
}

test.each([
  "one",
  "old",
])("a copy that Flyte's webhook left is adopted when a pod needs it, and follows from then on: %s", async (left) => {
  const { api, clock, copy, read } = await setUp(sourceOf("one"), flytesCopyOf(left));
  await clock.advance(1_000);
  expect(api.writes).toEqual([]);
  await copy();
  const ours = { "app.flyte.org/managed-by": "flyte-secrets-webhook", "app.flyte.org/copied-from": SOURCE };
  expect(read()).toMatchObject({ data: dataOf("one"), metadata: { labels: ours } });
  api.put(sourceOf("two"));
  await clock.advance(0);
  expect(read()).toMatchObject({ data: dataOf("two") });
  api.remove(NAME, SOURCE);
  await clock.advance(0);
  expect(read()).toBeUndefined();
});

test.each([
  ["has an owner", flytesCopyOf("old", { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "u" }] })],
  ["is immutable", { ...flytesCopyOf("old"), immutable: true }],
  ["is of another secret", flytesCopyOf("old", {}, { "union.ai/secret-name": "xotherx" })],
  ["has no labels", flytesCopyOf("old", { labels: {} })],
  ["is of another type", { ...flytesCopyOf("old"), type: "Opaque" }],
])("a Secret that %s is no copy of Flyte's", async (_, foreign) => {
  const { api, copy } = await setUp(sourceOf("one"), foreign);
  await expect(copy()).rejects.toMatchObject({ code: "pod_conflict" });
  expect(api.writes).toEqual([]);
});

test("a foreign Secret of its name is used where it pulls the same, and else in the way; it is never touched", async () => {
  const foreign = { ...copyOf("one"), metadata: { namespace: NAMESPACE, name: NAME } };
  const { api, clock, copy, read } = await setUp(sourceOf("one"), foreign);
  await copy();
  api.put(sourceOf("two"));
  await clock.advance(0);
  await expect(copy()).rejects.toMatchObject({
    code: "pod_conflict",
    message:
      `Secret ${NAME} in namespace ${NAMESPACE} is in the way: it is no copy of the webhook's, and its content is another. ` +
      `Delete it: kubectl delete secret ${NAME} --namespace ${NAMESPACE}`,
  });
  api.remove(NAME, SOURCE);
  await clock.advance(0);
  expect(read()).toEqual(stored(foreign));
  expect(api.writes).toEqual([]);
});

test("another webhook's copy, of a source in another namespace, is foreign", async () => {
  const labels = { ...copyOf("theirs").metadata.labels, "app.flyte.org/copied-from": "elsewhere" };
  const theirs = { ...copyOf("theirs"), metadata: { ...copyOf("theirs").metadata, labels } };
  const { copy, read, api } = await setUp(sourceOf("one"), theirs);
  await expect(copy()).rejects.toMatchObject({ code: "pod_conflict" });
  expect(read()).toEqual(stored(theirs));
  expect(api.writes).toEqual([]);
});

test("once the watches have failed for 10 s, the API server is asked for each pod", async () => {
  const { watching, api, clock, open, callsOf, read } = await setUp(sourceOf("one"));
  watching.isRefused = true;
  const blind = await open();
  await clock.advance(11_000);
  expect(await callsOf(async () => expect(await blind.find(ID, {})).toBe(NAME))).toEqual(["get"]);
  expect(await callsOf(async () => blind.copy(NAMESPACE, NAME, {}))).toEqual(["get", "get", "create"]);
  api.put(sourceOf("two"));
  await clock.advance(0);
  expect(await callsOf(async () => blind.copy(NAMESPACE, NAME, {}))).toContain("patch");
  expect(read()).toEqual(stored(copyOf("two", 11_000)));
});

test("closing leaves nothing waiting", async () => {
  const { api, clock, copies, copy } = await setUp(sourceOf("one"));
  await copy();
  api.failure = new SecretsError("store_unavailable", "no answer");
  api.put(sourceOf("two"));
  await clock.advance(0);
  const timers = clock.timers;
  await copies.close();
  // Of its retry and of the two of its watch.
  expect(clock.timers).toBeLessThan(timers);
});
