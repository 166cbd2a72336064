import { deliveredSecretName, SecretsError } from "@flyte-secrets/core";
import type { KubeObject, KubeSecret } from "@flyte-secrets/kube";
import { createMemoryApi } from "@flyte-secrets/kube/testing";
import { createManualClock } from "@flyte-secrets/testkit";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { watchDeliveredSecrets } from "./delivered-secrets.ts";
import { type SecretSweeperOptions, startSweeping, sweepSecrets } from "./secret-sweeper.ts";

const NAMESPACE = "shop-development";
const UNUSED_MS = 3_600_000;
const UNNAMED_MS = 600_000;
const MINUTE_MS = 60_000;
const START = Date.parse("2026-01-02T03:04:05Z");
const nameOf = (digit: string) => deliveredSecretName(digit.repeat(32));
const NAME = nameOf("a");

/** The notes of one that was admitted with at {@link START}, or that long after, or named by a pod then. */
function notes(isNamed: boolean, afterMs = 0): Record<string, string> {
  const until = START + afterMs + (isNamed ? UNUSED_MS : UNNAMED_MS);
  return {
    "app.flyte.org/needed-until": new Date(until).toISOString(),
    "app.flyte.org/named-by-pod": String(isNamed),
  };
}

/** As earlier versions wrote it, with any number of values. */
const EARLIER = { "app.flyte.org/needed-until": new Date(START + UNUSED_MS).toISOString() };

function written(name: string, change: Partial<KubeSecret["metadata"]> = {}): KubeSecret {
  const labels = { "app.flyte.org/managed-by": "flyte-secrets-webhook" };
  const annotations = notes(false);
  const metadata = { namespace: NAMESPACE, name, labels, annotations, ...change };
  return { apiVersion: "v1", kind: "Secret", immutable: true, metadata };
}

function pod(name: string, spec: object, phase = "Running"): KubeObject & { spec: object; status: object } {
  return { apiVersion: "v1", kind: "Pod", metadata: { namespace: NAMESPACE, name }, spec, status: { phase } };
}

async function setUp(...secrets: KubeSecret[]) {
  const clock = createManualClock(START);
  const api = createMemoryApi();
  const pods = createMemoryApi();
  for (const secret of secrets) api.put(secret);
  const log = pino({ enabled: false });
  const follower = watchDeliveredSecrets({ client: api.client, namespace: undefined, clock, log });
  onTestFinished(() => follower.close());
  await clock.advance(0);
  const { patch, delete: remove } = api.client;
  const client: SecretSweeperOptions["client"] = { list: pods.client.list, patch, delete: remove };
  const lifetimes = { unusedMs: UNUSED_MS, unnamedMs: UNNAMED_MS };
  const options: SecretSweeperOptions = { client, written: [follower], lifetimes, clock, log };
  /** Time in which the watch says something each minute. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= MINUTE_MS) {
      await clock.advance(Math.min(left, MINUTE_MS));
      api.put({ apiVersion: "v1", kind: "Secret", metadata: { name: "another", namespace: String(clock.now()) } });
      await clock.advance(0);
    }
  };
  const left = () => secrets.map(({ metadata }) => metadata.name).filter((name) => api.read(name) !== undefined);
  const sweep = async (change: Partial<SecretSweeperOptions> = {}) => {
    await sweepSecrets({ ...options, ...change }, new AbortController().signal);
    await clock.advance(0);
  };
  return { clock, api, pods, client, options, left, pass, sweep };
}

test.each([
  ["no pod was ever seen to name", notes(false), UNNAMED_MS],
  ["pods named once", notes(true), UNUSED_MS],
  ["an earlier version wrote", EARLIER, UNUSED_MS],
])("a Secret that %s is deleted when its time is over, and no sooner", async (_, annotations, lifetimeMs) => {
  const { pass, left, sweep } = await setUp(written(NAME, { annotations }));
  await pass(lifetimeMs - 1);
  await sweep();
  expect(left()).toEqual([NAME]);
  await pass(1);
  await sweep();
  expect(left()).toEqual([]);
});

test("a pod that names one gives it the longer time, again when that is over", async () => {
  const { api, clock, pods, pass, sweep } = await setUp(written(NAME));
  const read = () => api.read(NAME)?.metadata.annotations;
  pods.put(pod("p", { containers: [{ envFrom: [{ secretRef: { name: NAME } }] }] }));
  await pass(MINUTE_MS);
  await sweep();
  expect(read()).toEqual(notes(true, MINUTE_MS));
  await pass(UNUSED_MS - 1);
  await sweep();
  expect(read()).toEqual(notes(true, MINUTE_MS));
  await pass(1);
  await sweep();
  expect(read()).toEqual(notes(true, clock.now() - START));
});

test("one that goes with its owners goes by itself too, unless an earlier version wrote it, whose replicas may rely on it", async () => {
  const ownerReferences = [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "u" }];
  const earlier = written(nameOf("b"), { ownerReferences, annotations: EARLIER });
  const { pass, left, sweep } = await setUp(written(NAME, { ownerReferences }), earlier);
  await pass(2 * UNUSED_MS);
  await sweep();
  expect(left()).toEqual([nameOf("b")]);
});

test("what is not ours by label, annotation, name and shape stays", async () => {
  const unlabelled = written(nameOf("c"), { labels: {} });
  const unnoted = written(nameOf("e"), { annotations: {} });
  const named = written("team-credentials");
  const changeable: KubeSecret = { ...written(nameOf("d")), immutable: false };
  const { pass, left, sweep } = await setUp(written(NAME), unlabelled, unnoted, named, changeable);
  await pass(UNUSED_MS);
  await sweep();
  expect(left()).toEqual([unlabelled, unnoted, named, changeable].map(({ metadata }) => metadata.name));
});

test("in a namespace that has lost its binding all go that no pod names, but for those of pods that may not be there yet", async () => {
  const named = written(nameOf("1"), { annotations: notes(true) });
  const earlier = written(nameOf("2"), { annotations: EARLIER });
  const inUse = written(nameOf("3"), { annotations: notes(true) });
  const elsewhere = written(nameOf("4"), { namespace: "other", annotations: notes(true) });
  const { pods, pass, left, sweep } = await setUp(named, earlier, inUse, written(NAME), elsewhere);
  pods.put(pod("p", { volumes: [{ secret: { secretName: nameOf("3") } }] }));
  const hasLostBinding = (namespace: string) => namespace === NAMESPACE;
  await sweep({ hasLostBinding });
  expect(left()).toEqual([nameOf("3"), NAME, nameOf("4")]);
  await pass(UNNAMED_MS);
  await sweep({ hasLostBinding });
  expect(left()).toEqual([nameOf("3"), nameOf("4")]);
});

test("pods are listed in those namespaces only that have Secrets whose time is over or that none was seen to name", async () => {
  const namespaces = Array.from({ length: 10_000 }, (_, at) => `namespace-${at}`);
  const secrets = namespaces.map((namespace) => written(NAME, { namespace, annotations: notes(true) }));
  const { client, pass, sweep } = await setUp(
    ...secrets,
    written(NAME),
    written(nameOf("b"), { annotations: EARLIER }),
  );
  const { list } = client;
  const listed: unknown[] = [];
  Object.assign(client, {
    list: (...args: Parameters<typeof list>) => {
      listed.push(args[1]);
      return list(...args);
    },
  });
  await pass(UNNAMED_MS);
  await sweep();
  // From etcd, in pages: a list of the API server's cache may lack a pod.
  expect(listed).toEqual([{ namespace: NAMESPACE, limit: 50, continue: undefined }]);
});

test.each([
  ["a variable", { containers: [{ env: [{ name: "A", valueFrom: { secretKeyRef: { name: NAME, key: "a" } } }] }] }],
  ["a volume", { containers: [], volumes: [{ name: "v", secret: { secretName: NAME } }] }],
  ["a projected volume", { containers: [], volumes: [{ projected: { sources: [{ secret: { name: NAME } }] } }] }],
  ["all variables of an init container", { initContainers: [{ envFrom: [{ secretRef: { name: NAME } }] }] }],
])("it stays while a pod uses it by %s, and goes once the pod has ended", async (_, spec) => {
  const { pass, pods, left, sweep } = await setUp(written(NAME), written(nameOf("e")));
  for (const phase of ["Pending", "Running", "Unknown"]) {
    await pass(UNUSED_MS);
    pods.put(pod("p", spec, phase));
    await sweep();
    expect(left()).toEqual([NAME]);
  }
  pods.put(pod("p", spec, "Succeeded"));
  await pass(UNUSED_MS);
  await sweep();
  expect(left()).toEqual([]);
});

test.each(["Succeeded", "Failed"])("one that only pods name that have %s goes", async (phase) => {
  const { pass, pods, left, sweep } = await setUp(written(NAME));
  pods.put(pod("p", { volumes: [{ secret: { secretName: NAME } }] }, phase));
  await pass(UNNAMED_MS);
  await sweep();
  expect(left()).toEqual([]);
});

test("pods on every page of the list keep their Secrets", async () => {
  const { pass, pods, left, sweep } = await setUp(written(NAME), written(nameOf("b")), written(nameOf("c")));
  for (let at = 100; at < 300; at++) pods.put(pod(`other-${at}`, { containers: [] }));
  pods.put(pod("p", { volumes: [{ secret: { secretName: NAME } }] }));
  pods.put(pod("z", { volumes: [{ secret: { secretName: nameOf("b") } }] }));
  await pass(UNUSED_MS);
  await sweep();
  expect(left()).toEqual([NAME, nameOf("b")]);
});

test("a copy of an image-pull Secret stays while a pod pulls with it, and goes after; its source stays", async () => {
  const name = "img-pull-0123456789abcdef";
  const type = "kubernetes.io/dockerconfigjson";
  const { metadata, immutable, ...rest } = written(name);
  const labels = { ...metadata.labels, "app.flyte.org/copied-from": "flyte" };
  const copy: KubeSecret = { ...rest, type, metadata: { ...metadata, labels } };
  const source: KubeSecret = { ...rest, type, metadata: { namespace: "flyte", name } };
  const { api, pass, pods, sweep } = await setUp(copy, source);
  const left = () => [NAMESPACE, "flyte"].filter((namespace) => api.read(name, namespace) !== undefined);
  await pass(UNUSED_MS);
  pods.put(pod("p", { containers: [], imagePullSecrets: [{ name }] }));
  await sweep();
  expect(left()).toEqual([NAMESPACE, "flyte"]);
  pods.remove("p");
  await pass(UNUSED_MS);
  await sweep();
  expect(left()).toEqual(["flyte"]);
});

test("it stays when its need is noted after the sweeper looked", async () => {
  const { clock, api, client, left, pass, sweep } = await setUp(written(NAME));
  await pass(UNUSED_MS);
  const { list } = client;
  Object.assign(client, {
    list: (...args: Parameters<typeof list>) => {
      api.put(written(NAME, { annotations: notes(false, clock.now() - START) }));
      return list(...args);
    },
  });
  await sweep();
  expect(left()).toEqual([NAME]);
});

test("two that sweep at once both succeed", async () => {
  const { pass, left, sweep } = await setUp(written(NAME), written(nameOf("b")));
  await pass(UNUSED_MS);
  await Promise.all([sweep(), sweep()]);
  expect(left()).toEqual([]);
});

test("a namespace whose pods cannot be listed keeps no other from being swept", async () => {
  const locked = written(nameOf("1"), { namespace: "locked" });
  const { pass, client, left, sweep } = await setUp(locked, written(NAME));
  const { list } = client;
  Object.assign(client, {
    list: async (...args: Parameters<typeof list>) => {
      if (args[1].namespace === "locked") throw new SecretsError("credentials_refused", "no permission to list pods");
      return list(...args);
    },
  });
  await pass(UNUSED_MS);
  await sweep();
  expect(left()).toEqual([locked.metadata.name]);
});

test("sweeping goes on by itself until it is closed", async () => {
  const { api, options, pass } = await setUp(written(NAME));
  const sweeping = startSweeping({ ...options, everyMs: 600_000 });
  await pass(UNUSED_MS + 900_000);
  expect(api.read(NAME)).toBeUndefined();
  api.put(written(NAME));
  await pass(900_000);
  expect(api.read(NAME)).toBeUndefined();
  await sweeping.close();
  api.put(written(NAME));
  await pass(UNUSED_MS);
  expect(api.read(NAME)).toBeDefined();
});
