import { expect, test } from "vitest";
import { type KubeSecret, SECRETS } from "./objects.ts";
import { openSharedKey } from "./shared-key.ts";
import { createMemoryApi } from "./testing/memory-api.ts";

const WHERE = { namespace: "flyte", name: "flyte-pod-webhook-naming" };

test("replicas that start at once agree on one key, and so does the next one", async () => {
  const { client, writes } = createMemoryApi();
  const open = () => openSharedKey({ client, ...WHERE });
  const [one, other] = await Promise.all([open(), open()]);
  expect(one).toHaveLength(32);
  expect(other).toEqual(one);
  expect(await open()).toEqual(one);
  expect(writes).toHaveLength(1);
});

test("replicas fill an empty Secret that an installer put there, one of them, and leave its labels", async () => {
  const { client, put, writes } = createMemoryApi();
  const labels = { "app.kubernetes.io/managed-by": "Helm" };
  put({ apiVersion: "v1", kind: "Secret", metadata: { ...WHERE, labels } });
  const open = () => openSharedKey({ client, ...WHERE });
  const [one, other] = await Promise.all([open(), open()]);
  expect(other).toEqual(one);
  expect(await client.get(SECRETS, WHERE)).toMatchObject({
    metadata: { labels },
    immutable: true,
    data: { key: Buffer.from(one).toString("base64") },
  });
  expect(writes).toHaveLength(1);
});

test("another cluster has another key", async () => {
  const open = () => openSharedKey({ client: createMemoryApi().client, ...WHERE });
  expect(await open()).not.toEqual(await open());
});

test("a Secret of that name with something else in it is an error that says what to do", async () => {
  const api = createMemoryApi();
  const kept: KubeSecret = { apiVersion: "v1", kind: "Secret", metadata: WHERE, data: { key: "c2hvcnQ=" } };
  api.put(kept);
  await expect(openSharedKey({ client: api.client, ...WHERE })).rejects.toMatchObject({
    code: "value_unreadable",
    message:
      "Secret flyte-pod-webhook-naming in namespace flyte has no key of 32 bytes. Delete it; a new one is made at the next start.",
  });
});
