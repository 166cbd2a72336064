import { deliveredSecretName, SecretsError, SecretValue } from "@flyte-secrets/core";
import type { OwnerReference } from "@flyte-secrets/inject";
import type { KubeObject, KubeSecret } from "@flyte-secrets/kube";
import { createMemoryApi } from "@flyte-secrets/kube/testing";
import { createManualClock } from "@flyte-secrets/testkit";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { watchDeliveredSecrets } from "./delivered-secrets.ts";
import { createKubernetesSecretWriter } from "./kubernetes-secret-writer.ts";
import { createWriteLimits, type WriteLimitSettings } from "./write-limits.ts";

/** What the API server adds. */
const STAMPS = {
  uid: expect.any(String),
  creationTimestamp: expect.any(String),
  resourceVersion: expect.any(String),
};

const NAMESPACE = "shop-development";
const NAME = deliveredSecretName("ab".repeat(16));
const VALUE = "canary-71f3";
const LABELS = { "app.flyte.org/managed-by": "flyte-secrets-webhook" };
const SECRET = { name: NAME, labels: LABELS, data: { "api-key": SecretValue.fromText(VALUE) } };
const UNUSED_MS = 3_600_000;
const UNNAMED_MS = 600_000;
const START = "2026-01-02T03:04:05.000Z";

function owner(uid: string): OwnerReference {
  return { apiVersion: "flyte.org/v1", kind: "TaskAction", name: uid, uid };
}

/** The notes of a need that long after {@link START}. */
function needed(afterMs = 0, isNamed = false): Record<string, string> {
  const until = Date.parse(START) + afterMs + (isNamed ? UNUSED_MS : UNNAMED_MS);
  return {
    "app.flyte.org/needed-until": new Date(until).toISOString(),
    "app.flyte.org/named-by-pod": String(isNamed),
  };
}

/** What lies in the cluster after a first write at {@link START}. */
function stored(change: object = {}): KubeObject {
  const metadata = {
    namespace: NAMESPACE,
    name: NAME,
    labels: LABELS,
    annotations: needed(),
    ...STAMPS,
    ...change,
  };
  const data = { "api-key": Buffer.from(VALUE).toString("base64") };
  return { apiVersion: "v1", kind: "Secret", type: "Opaque", immutable: true, metadata, data } as KubeObject;
}

const LIMITS: WriteLimitSettings = {
  maxSecrets: 1_000,
  maxUnnamed: 1_000,
  maxUnnamedBytes: 67_108_864,
  maxWritesPerMinute: 1_000,
};

async function setUp(settings: Partial<WriteLimitSettings> = {}) {
  const clock = createManualClock(Date.parse(START));
  const api = createMemoryApi();
  let calls = 0;
  const counted = <T extends unknown[], R>(call: (...args: T) => R) => {
    return (...args: T): R => {
      calls++;
      return call(...args);
    };
  };
  const client = {
    get: counted(api.client.get) as typeof api.client.get,
    create: counted(api.client.create) as typeof api.client.create,
    patch: counted(api.client.patch) as typeof api.client.patch,
  };
  const following = { isRefused: false };
  const followed = {
    list: api.client.list,
    watch: ((...args: Parameters<typeof api.client.watch>) => {
      if (following.isRefused) throw new SecretsError("credentials_refused", "no permission to watch secrets");
      return api.client.watch(...args);
    }) as typeof api.client.watch,
  };
  const closing = new AbortController();
  const lifetimes = { unusedMs: UNUSED_MS, unnamedMs: UNNAMED_MS };
  const open = async () => {
    const written = watchDeliveredSecrets({
      client: followed,
      namespace: NAMESPACE,
      clock,
      log: pino({ enabled: false }),
    });
    onTestFinished(() => written.close());
    await clock.advance(0);
    const deliveredIn = (namespace: string) => (namespace === NAMESPACE ? written : undefined);
    const limits = createWriteLimits({ settings: { ...LIMITS, ...settings }, clock });
    return createKubernetesSecretWriter({ client, deliveredIn, lifetimes, limits, clock, signal: closing.signal });
  };
  const callsOf = async (work: () => unknown) => {
    const before = calls;
    await work();
    return calls - before;
  };
  /** Time in which the watch is not silent. */
  const pass = async (ms: number) => {
    await clock.advance(ms);
    api.put({ apiVersion: "v1", kind: "Secret", metadata: { name: "another", namespace: String(clock.now()) } });
    await clock.advance(0);
  };
  return { clock, api, open, callsOf, following, client, pass };
}

test("a Secret is there when the write is done: immutable, labelled, and without owners where the pod has none", async () => {
  const { api, open } = await setUp();
  const writer = await open();
  await writer.write(NAMESPACE, [SECRET], { owners: [] });
  expect(api.read(NAME)).toEqual(stored());
});

test("it goes away with the pod's owners, of which no permission is wanted", async () => {
  const { api, open } = await setUp();
  const writer = await open();
  const controller = { ...owner("a"), controller: true, blockOwnerDeletion: true };
  await writer.write(NAMESPACE, [SECRET], { owners: [controller, owner("b")] });
  expect(api.read(NAME)).toEqual(stored({ ownerReferences: [owner("a"), owner("b")] }));
});

test("what is there is not asked for again, by no replica and whichever owners follow the second", async () => {
  const { api, open, callsOf, clock } = await setUp();
  const [one, other] = [await open(), await open()];
  const write = (writer: typeof one, ...owners: OwnerReference[]) => writer.write(NAMESPACE, [SECRET], { owners });
  expect(await callsOf(() => write(one, owner("a")))).toBe(1);
  await clock.advance(0);
  expect(await callsOf(() => write(one, owner("a")))).toBe(0);
  expect(await callsOf(() => write(other, owner("a")))).toBe(0);
  expect(await callsOf(() => write(other, owner("b")))).toBe(1);
  expect(api.read(NAME)).toEqual(stored());
  await clock.advance(0);
  for (const each of [owner("a"), owner("b"), owner("c")]) expect(await callsOf(() => write(one, each))).toBe(0);
  expect(await callsOf(() => write(other))).toBe(0);
});

test.each([
  ["more owners than a pod ever has", Array.from({ length: 9 }, (_, at) => owner(`owner-${at}`))],
  ["an owner of a megabyte", [{ ...owner("a"), uid: "u".repeat(1_000_000) }]],
])("%s are not copied: the Secret is the sweeper's alone", async (_, owners) => {
  const { api, open, callsOf } = await setUp();
  const writer = await open();
  const write = () => writer.write(NAMESPACE, [SECRET], { owners });
  expect(await callsOf(write)).toBe(1);
  expect(api.read(NAME)).toEqual(stored());
  expect(await callsOf(write)).toBe(0);
});

test("a pod without owner keeps a Secret from going away with the owner of another", async () => {
  const { api, open } = await setUp();
  const writer = await open();
  await writer.write(NAMESPACE, [SECRET], { owners: [owner("a")] });
  await writer.write(NAMESPACE, [SECRET], { owners: [] });
  expect(api.read(NAME)).toEqual(stored());
});

test.each([
  ["one that no pod was seen to name yet", false, 0],
  ["one that pods name", true, UNUSED_MS - UNNAMED_MS],
])("how long %s is needed is noted again once a quarter of the shorter time is over", async (_, isNamed, laterMs) => {
  const { api, open, callsOf, pass, clock } = await setUp();
  const writer = await open();
  const write = () => writer.write(NAMESPACE, [SECRET], { owners: [owner("a")] });
  await write();
  // As the sweeper does.
  if (isNamed) api.put(stored({ annotations: needed(0, true), ownerReferences: [owner("a")] }));
  await clock.advance(0);
  await pass(laterMs + UNNAMED_MS / 4 - 1);
  expect(await callsOf(write)).toBe(0);
  await pass(1);
  expect(await callsOf(write)).toBe(1);
  const annotations = needed(laterMs + UNNAMED_MS / 4, isNamed);
  expect(api.read(NAME)).toEqual(stored({ annotations, ownerReferences: [owner("a")] }));
  expect(await callsOf(write)).toBe(0);
});

test("a namespace gets no more Secrets than a limit allows; those that are there stay in use", async () => {
  const { api, open, callsOf } = await setUp({ maxUnnamed: 3 });
  const [writer, replica] = [await open(), await open()];
  const secrets = numbered(4);
  for (const secret of secrets.slice(0, 3)) await writer.write(NAMESPACE, [secret], { owners: [owner("a")] });
  const refusal = {
    code: "too_many_secrets",
    message: expect.stringContaining("webhook.writtenSecrets.maxUnnamed (3)"),
  };
  for (const each of [writer, replica]) {
    await expect(each.write(NAMESPACE, secrets, { owners: [owner("a")] })).rejects.toMatchObject(refusal);
  }
  expect(await callsOf(() => writer.write(NAMESPACE, secrets.slice(0, 3), { owners: [] }))).toBe(3);
  expect(api.writes).toHaveLength(6);
});

test("writing what is there, while the watch is silent, does not count; what is refused each time does", async () => {
  const { api, open, following } = await setUp({ maxWritesPerMinute: 2 });
  following.isRefused = true;
  const writer = await open();
  const write = () => writer.write(NAMESPACE, [SECRET], { owners: [] });
  for (let pod = 0; pod < 5; pod++) await write();
  const other = { ...SECRET, name: deliveredSecretName("cd".repeat(16)) };
  api.put({ ...stored(), metadata: { namespace: NAMESPACE, name: other.name } });
  const code = async () => {
    const outcome = await Promise.allSettled([writer.write(NAMESPACE, [other], { owners: [] })]);
    return outcome[0]?.status === "rejected" && outcome[0].reason.code;
  };
  expect([await code(), await code()]).toEqual(["pod_conflict", "too_many_secrets"]);
});

test("a Secret that somebody deleted is written again", async () => {
  const { api, open, clock } = await setUp();
  const writer = await open();
  await writer.write(NAMESPACE, [SECRET], { owners: [] });
  await clock.advance(0);
  api.remove(NAME);
  await clock.advance(0);
  await writer.write(NAMESPACE, [SECRET], { owners: [] });
  expect(api.read(NAME)).toEqual(stored());
});

test("one that somebody deleted while nobody heard of it is written again", async () => {
  const { api, open, clock } = await setUp();
  const writer = await open();
  await writer.write(NAMESPACE, [SECRET], { owners: [] });
  await clock.advance(0);
  api.unseen(() => api.remove(NAME));
  await clock.advance(10_000);
  await writer.write(NAMESPACE, [SECRET], { owners: [] });
  expect(api.read(NAME)).toEqual(stored({ annotations: needed(10_000) }));
});

test("one that is deleted between the look and the note of its need is written again", async () => {
  const { api, open, clock, client } = await setUp();
  const writer = await open();
  await writer.write(NAMESPACE, [SECRET], { owners: [owner("a")] });
  const { patch } = client;
  client.patch = async (...args) => {
    api.remove(NAME);
    client.patch = patch;
    return patch(...args);
  };
  const writing = writer.write(NAMESPACE, [SECRET], { owners: [owner("b")] });
  await clock.advance(1_000);
  await writing;
  // After a wait of random length.
  const annotations = { ...needed(), "app.flyte.org/needed-until": expect.any(String) };
  expect(api.read(NAME)).toEqual(stored({ annotations, ownerReferences: [owner("b")] }));
});

test("one that is on its way out is written again once it is gone", async () => {
  const { api, open, clock } = await setUp();
  const [writer, other] = [await open(), await open()];
  await other.write(NAMESPACE, [SECRET], { owners: [] });
  const made = api.read(NAME);
  if (made === undefined) throw new Error("it was written");
  api.put({ ...made, metadata: { ...made.metadata, deletionTimestamp: START } });
  await clock.advance(0);
  const writing = writer.write(NAMESPACE, [SECRET], { owners: [] });
  await clock.advance(500);
  api.remove(NAME);
  await clock.advance(1_000);
  await writing;
  // After waits of random length.
  expect(api.read(NAME)).toEqual(stored({ annotations: expect.anything() }));
});

test("owners that it gets between the look and the note of its need are seen too", async () => {
  const { api, open, clock, client, pass } = await setUp();
  const writer = await open();
  await writer.write(NAMESPACE, [SECRET], { owners: [] });
  await pass(UNNAMED_MS / 2);
  const { patch } = client;
  let isFirst = true;
  client.patch = ((...args: Parameters<typeof patch>) => {
    const made = api.read(NAME);
    if (isFirst && made) api.put({ ...made, metadata: { ...made.metadata, ownerReferences: [owner("b")] } });
    isFirst = false;
    return patch(...args);
  }) as typeof patch;
  const writing = writer.write(NAMESPACE, [SECRET], { owners: [] });
  await clock.advance(1_000);
  await writing;
  expect(api.read(NAME)?.metadata.ownerReferences).toBeUndefined();
});

test("once the watch has failed for 10 s the API server is asked, and a Secret that is there is success", async () => {
  const { api, open, callsOf, following, clock } = await setUp();
  following.isRefused = true;
  const writer = await open();
  await clock.advance(11_000);
  const write = () => writer.write(NAMESPACE, [SECRET], { owners: [] });
  expect(await callsOf(write)).toBe(1);
  expect(await callsOf(write)).toBe(2);
  expect(api.read(NAME)).toEqual(stored({ annotations: needed(11_000, false) }));
});

test("a watch that has said nothing for 100 s is not trusted: the API server is asked", async () => {
  const { open, callsOf, clock } = await setUp();
  const writer = await open();
  const write = () => writer.write(NAMESPACE, [SECRET], { owners: [] });
  await write();
  await clock.advance(0);
  await clock.advance(99_999);
  expect(await callsOf(write)).toBe(0);
  await clock.advance(1);
  expect(await callsOf(write)).toBe(2);
});

test("while the API server can't be reached, a Secret that was there counts as being there, and no other does", async () => {
  const { api, open, clock, following } = await setUp();
  const writer = await open();
  const write = () => writer.write(NAMESPACE, [SECRET], { owners: [] });
  await write();
  api.put(stored({ annotations: needed(0, true) }));
  await clock.advance(0);
  const down = new SecretsError("store_unavailable", "down");
  api.failure = down;
  following.isRefused = true;
  // Until the watch has been silent for so long that it is begun anew.
  await clock.advance(200_000);
  await write();
  const other = { ...SECRET, name: deliveredSecretName("cd".repeat(16)) };
  await expect(writer.write(NAMESPACE, [other], { owners: [] })).rejects.toBe(down);
  // From then on a sweeper may take it.
  await clock.advance(UNUSED_MS - UNNAMED_MS);
  await expect(write()).rejects.toBe(down);
});

test("many pods at once are one call", async () => {
  const { open, callsOf } = await setUp();
  const writer = await open();
  const write = () => writer.write(NAMESPACE, [SECRET], { owners: [owner("a")] });
  expect(await callsOf(() => Promise.all(Array.from({ length: 50 }, write)))).toBe(1);
});

test("a pod that gives up does not end the write for the others", async () => {
  const { api, open } = await setUp();
  const writer = await open();
  const giveUp = new AbortController();
  const given = writer.write(NAMESPACE, [SECRET], { owners: [], signal: giveUp.signal });
  const kept = writer.write(NAMESPACE, [SECRET], { owners: [] });
  giveUp.abort();
  await expect(given).rejects.toMatchObject({ code: "canceled" });
  await kept;
  expect(api.read(NAME)).toEqual(stored());
});

test.each<[string, Partial<KubeSecret>]>([
  [
    "with other content",
    {
      immutable: true,
      metadata: { namespace: NAMESPACE, name: NAME, labels: LABELS, annotations: needed() },
      data: { other: "" },
    },
  ],
  [
    "that could be changed",
    { immutable: false, metadata: { namespace: NAMESPACE, name: NAME, labels: LABELS, annotations: needed() } },
  ],
  ["without our annotation", { immutable: true, metadata: { namespace: NAMESPACE, name: NAME, labels: LABELS } }],
  [
    "that another program looks after",
    {
      immutable: true,
      metadata: {
        namespace: NAMESPACE,
        name: NAME,
        labels: { "app.flyte.org/managed-by": "another" },
        annotations: needed(),
      },
    },
  ],
  ["without our label", { immutable: true, metadata: { namespace: NAMESPACE, name: NAME, annotations: needed() } }],
])("a Secret of that name %s is left alone, and the pod refused", async (_, change) => {
  const { api, open } = await setUp();
  const writer = await open();
  const foreign = { ...stored(), ...change } as KubeSecret;
  api.put(foreign);
  await expect(writer.write(NAMESPACE, [SECRET], { owners: [] })).rejects.toMatchObject({
    code: "pod_conflict",
    message:
      `Secret ${NAME} in namespace ${NAMESPACE} is in the way: it is not as the webhook writes it. ` +
      `Delete it: kubectl delete secret ${NAME} --namespace ${NAMESPACE}`,
    // Nobody but a person can mend it: no reason to try again.
    kind: { admission: 400 },
  });
  expect(api.writes).toEqual([]);
});

test("a value of more than 1 MiB is refused with both sizes; a pod may have many that are smaller", async () => {
  const { api, open } = await setUp();
  const writer = await open();
  const sized = (digit: string, bytes: number) => ({
    name: deliveredSecretName(digit.repeat(32)),
    labels: LABELS,
    data: { big: SecretValue.fromBytes(new Uint8Array(bytes)) },
  });
  await writer.write(NAMESPACE, [sized("1", 1_048_576), sized("2", 1_048_576)], { owners: [] });
  expect(api.writes).toHaveLength(2);
  await expect(writer.write(NAMESPACE, [sized("3", 1_048_577)], { owners: [] })).rejects.toMatchObject({
    code: "value_too_large",
    message: `The value of big for a pod in namespace ${NAMESPACE} has 1048577 bytes; Kubernetes takes 1048576 in one Secret.`,
  });
});

/** As many Secrets, each with a name of its own. */
function numbered(count: number) {
  return Array.from({ length: count }, (_, at) => ({
    ...SECRET,
    name: deliveredSecretName(String(at).padStart(32, "0")),
  }));
}

test("the Secrets of a pod are written at the same time, no more than 16 of them", async () => {
  const { open, client } = await setUp();
  const writer = await open();
  const { create } = client;
  const counts = { underWay: 0, most: 0, written: 0 };
  client.create = async (...args) => {
    counts.underWay++;
    counts.most = Math.max(counts.most, counts.underWay);
    // A turn of the event loop, in which the others begin.
    await new Promise(setImmediate);
    const made = await create(...args);
    counts.underWay--;
    counts.written++;
    return made;
  };
  await writer.write(NAMESPACE, numbered(40), { owners: [] });
  expect(counts).toEqual({ underWay: 0, most: 16, written: 40 });
});

test("a pod of which one Secret can't be written is refused, and what else it needs is written once for the next", async () => {
  const { api, open, callsOf } = await setUp();
  const writer = await open();
  const other = { ...SECRET, name: deliveredSecretName("cd".repeat(16)) };
  api.put({ ...stored(), metadata: { namespace: NAMESPACE, name: other.name } });
  await expect(writer.write(NAMESPACE, [other, SECRET], { owners: [] })).rejects.toMatchObject({
    code: "pod_conflict",
  });
  expect(await callsOf(() => writer.write(NAMESPACE, [SECRET], { owners: [] }))).toBe(0);
  expect(api.read(NAME)).toEqual(stored());
});

test("nothing is written to a namespace that is not listed, and a dry run says so", async () => {
  const { api, open } = await setUp();
  const writer = await open();
  for (const dryRun of [false, true]) {
    expect(() => writer.write("elsewhere", [SECRET], { owners: [], dryRun })).toThrow(
      expect.objectContaining({
        code: "namespace_not_writable",
        message: "Nothing is written to namespace elsewhere, since webhook.writtenSecrets.namespaces doesn't list it.",
      }),
    );
  }
  await writer.write(NAMESPACE, [SECRET], { owners: [], dryRun: true });
  expect(api.writes).toEqual([]);
});

test("what the API server refuses is passed on, and the next pod tries again", async () => {
  const { api, open } = await setUp();
  const writer = await open();
  api.failure = new SecretsError("credentials_refused", "no permission to create secrets");
  await expect(writer.write(NAMESPACE, [SECRET], { owners: [] })).rejects.toBe(api.failure);
  api.failure = undefined;
  await writer.write(NAMESPACE, [SECRET], { owners: [] });
  expect(api.read(NAME)).toEqual(stored());
});
