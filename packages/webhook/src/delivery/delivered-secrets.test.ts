import { deliveredSecretName } from "@flyte-secrets/core";
import { type KubeObject, type KubeSecret, SECRETS } from "@flyte-secrets/kube";
import { createMemoryApi } from "@flyte-secrets/kube/testing";
import { createManualClock } from "@flyte-secrets/testkit";
import { pino } from "pino";
import { expect, onTestFinished, test, vi } from "vitest";
import { watchDeliveredSecrets } from "./delivered-secrets.ts";

const NAMESPACE = "shop-development";
const NAME = deliveredSecretName("a".repeat(32));

function written(neededUntil: string): KubeSecret {
  const metadata = {
    namespace: NAMESPACE,
    name: NAME,
    labels: { "app.flyte.org/managed-by": "flyte-secrets-webhook" },
    annotations: { "app.flyte.org/needed-until": neededUntil },
  };
  return { apiVersion: "v1", kind: "Secret", immutable: true, metadata };
}

/** The Secrets that a watch follows, and a way to wait until it has told of another one that comes now. */
async function follow() {
  const api = createMemoryApi();
  const secrets = watchDeliveredSecrets({
    client: api.client,
    namespace: NAMESPACE,
    clock: createManualClock(),
    log: pino({ level: "silent" }),
  });
  onTestFinished(() => secrets.close());
  await secrets.synced;
  let markers = 0;
  const catchUp = async () => {
    const name = deliveredSecretName(String(++markers).padStart(32, "0"));
    api.put({ ...written("2026-02-03T00:00:00Z"), metadata: { ...written("2026-02-03T00:00:00Z").metadata, name } });
    await vi.waitFor(() => expect(secrets.in(NAMESPACE).has(name)).toBe(true), 60_000);
  };
  const has = () => secrets.in(NAMESPACE).has(NAME);
  const create = () => api.client.create<KubeObject & KubeSecret>(SECRETS, written("2026-01-02T00:00:00Z"));
  return { api, secrets, catchUp, has, create };
}

test("a Secret that was deleted before its writer heard that it is there stays unknown", async () => {
  const { api, secrets, catchUp, has, create } = await follow();
  const made = await create();
  api.remove(NAME);
  await catchUp();
  secrets.put(made);
  expect(has()).toBe(false);
  secrets.put(await create());
  expect(has()).toBe(true);
});

test("what a write came to counts before the watch tells, and not over what the watch told later", async () => {
  const { api, secrets, catchUp, has, create } = await follow();
  const made = await create();
  secrets.put(made);
  expect(has()).toBe(true);
  api.put(written("2026-03-04T00:00:00Z"));
  await catchUp();
  secrets.put(made);
  expect(secrets.in(NAMESPACE).get(NAME)?.neededUntil).toBe(Date.parse("2026-03-04T00:00:00Z"));
});

test("versions are compared as numbers, however long they are", async () => {
  const { secrets, catchUp, has } = await follow();
  await catchUp();
  const at = (resourceVersion: string): KubeSecret => {
    const secret = written("2026-01-02T00:00:00Z");
    return { ...secret, metadata: { ...secret.metadata, resourceVersion } };
  };
  secrets.put(at("1"));
  expect(has()).toBe(false);
  secrets.put(at("12345678901234567890123"));
  expect(has()).toBe(true);
});
