import { SecretsError, writtenSecretName } from "@flyte-secrets/core";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import type { KubeObject, Secret } from "../../kube/kube-object.ts";
import { createMemoryApi } from "../../kube/testing/memory-api.ts";
import { createManualClock } from "../../testing/manual-clock.ts";
import { type SecretSweeperOptions, startSweeping, sweepSecrets } from "./secret-sweeper.ts";
import { followWrittenSecrets } from "./written-secrets.ts";

const NAMESPACE = "shop-development";
const UNUSED_MS = 3_600_000;
const MINUTE_MS = 60_000;
const START = Date.parse("2026-01-02T03:04:05Z");
const nameOf = (digit: string) => writtenSecretName(digit.repeat(32));
const NAME = nameOf("a");

function written(name: string, change: Partial<Secret["metadata"]> = {}): Secret {
  const labels = { "app.flyte.org/managed-by": "flyte-secrets-webhook" };
  const annotations = { "app.flyte.org/needed-until": new Date(START + UNUSED_MS).toISOString() };
  const metadata = { namespace: NAMESPACE, name, labels, annotations, ...change };
  return { apiVersion: "v1", kind: "Secret", immutable: true, metadata };
}

function pod(name: string, spec: object, phase = "Running"): KubeObject & { spec: object; status: object } {
  return { apiVersion: "v1", kind: "Pod", metadata: { namespace: NAMESPACE, name }, spec, status: { phase } };
}

async function setUp(...secrets: Secret[]) {
  const clock = createManualClock(START);
  const api = createMemoryApi();
  const pods = createMemoryApi();
  for (const secret of secrets) api.put(secret);
  const log = pino({ enabled: false });
  const follower = followWrittenSecrets({ client: api.client, namespace: undefined, clock, log });
  onTestFinished(() => follower.close());
  await clock.advance(0);
  const client: SecretSweeperOptions["client"] = { list: pods.client.list, delete: api.client.delete };
  const options = { client, written: [follower], clock, log };
  /** Time in which the watch says something each minute. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= MINUTE_MS) {
      await clock.advance(Math.min(left, MINUTE_MS));
      api.put({ apiVersion: "v1", kind: "Secret", metadata: { name: "another", namespace: String(clock.now()) } });
      await clock.advance(0);
    }
  };
  const left = () => secrets.map(({ metadata }) => metadata.name).filter((name) => api.read(name) !== undefined);
  const sweep = () => sweepSecrets(options, new AbortController().signal);
  return { clock, api, pods, client, options, left, pass, sweep };
}

test("a Secret that nobody needs is deleted when its time is over, and no sooner", async () => {
  const { pass, left, sweep } = await setUp(written(NAME));
  await pass(UNUSED_MS - 1);
  await sweep();
  expect(left()).toEqual([NAME]);
  await pass(1);
  await sweep();
  expect(left()).toEqual([]);
});

test("what has owners, and what is not ours by label, annotation, name and shape, stays", async () => {
  const owned = written(nameOf("b"), { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "u" }] });
  const unlabelled = written(nameOf("c"), { labels: {} });
  const unnoted = written(nameOf("e"), { annotations: {} });
  const named = written("team-credentials");
  const changeable: Secret = { ...written(nameOf("d")), immutable: false };
  const { pass, left, sweep } = await setUp(written(NAME), owned, unlabelled, unnoted, named, changeable);
  await pass(UNUSED_MS);
  await sweep();
  expect(left()).toEqual([owned, unlabelled, unnoted, named, changeable].map(({ metadata }) => metadata.name));
});

test.each([
  ["a variable", { containers: [{ env: [{ name: "A", valueFrom: { secretKeyRef: { name: NAME, key: "a" } } }] }] }],
  ["a volume", { containers: [], volumes: [{ name: "v", secret: { secretName: NAME } }] }],
  ["a projected volume", { containers: [], volumes: [{ projected: { sources: [{ secret: { name: NAME } }] } }] }],
  ["all variables of an init container", { initContainers: [{ envFrom: [{ secretRef: { name: NAME } }] }] }],
])("it stays while a pod uses it by %s, and goes once the pod has ended", async (_, spec) => {
  const { pass, pods, left, sweep } = await setUp(written(NAME), written(nameOf("e")));
  await pass(UNUSED_MS);
  for (const phase of ["Pending", "Running", "Unknown"]) {
    pods.put(pod("p", spec, phase));
    await sweep();
    expect(left()).toEqual([NAME]);
  }
  pods.put(pod("p", spec, "Succeeded"));
  await sweep();
  expect(left()).toEqual([]);
});

test("a copy of an image-pull Secret stays while a pod pulls with it, and goes after; its source stays", async () => {
  const name = "img-pull-0123456789abcdef";
  const type = "kubernetes.io/dockerconfigjson";
  const { metadata, immutable, ...rest } = written(name);
  const labels = { ...metadata.labels, "app.flyte.org/copied-from": "flyte" };
  const copy: Secret = { ...rest, type, metadata: { ...metadata, labels } };
  const source: Secret = { ...rest, type, metadata: { namespace: "flyte", name } };
  const { api, pass, pods, sweep } = await setUp(copy, source);
  const left = () => [NAMESPACE, "flyte"].filter((namespace) => api.read(name, namespace) !== undefined);
  await pass(UNUSED_MS);
  pods.put(pod("p", { containers: [], imagePullSecrets: [{ name }] }));
  await sweep();
  expect(left()).toEqual([NAMESPACE, "flyte"]);
  pods.remove("p");
  await sweep();
  expect(left()).toEqual(["flyte"]);
});

test("it stays when its need is noted after the sweeper looked", async () => {
  const { clock, api, client, left, pass, sweep } = await setUp(written(NAME));
  await pass(UNUSED_MS);
  const { list } = client;
  Object.assign(client, {
    list: (...args: Parameters<typeof list>) => {
      const later = new Date(clock.now() + UNUSED_MS).toISOString();
      api.put(written(NAME, { annotations: { "app.flyte.org/needed-until": later } }));
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
