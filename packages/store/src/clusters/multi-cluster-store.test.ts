import { type SecretId, type SecretStore, SecretsError, SecretValue } from "@flyte-secrets/core";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { openEmbeddedStore } from "../embedded/embedded-store.ts";
import { createMultiClusterStore } from "./multi-cluster-store.ts";

const id: SecretId = { org: "flyte", domain: "", project: "", name: "api-key" };
const input = (text: string) => ({ value: SecretValue.fromText(text), type: "generic" }) as const;
const text = async (store: SecretStore) => (await store.read(id))?.revealText();

/** A store whose calls go on to another but for those that are given here. */
function over(store: SecretStore, calls: Partial<SecretStore>): SecretStore {
  return new Proxy(store, {
    get(target, name) {
      // The names of a store's own members.
      const key = name as keyof SecretStore;
      const member = calls[key] ?? target[key];
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

/** Two clusters, the calls of which a test may replace. */
async function setUp(calls: { east?: Partial<SecretStore>; west?: Partial<SecretStore> } = {}) {
  const open = () => openEmbeddedStore({ directory: createTemporaryDirectory() });
  const [east, west] = [await open(), await open()];
  const store = createMultiClusterStore([
    { cluster: "east", store: over(east, calls.east ?? {}) },
    { cluster: "west", store: over(west, calls.west ?? {}) },
  ]);
  onTestFinished(() => store.close());
  return { store, east, west };
}

const down = async (): Promise<never> => {
  throw new SecretsError("store_unavailable", "no route");
};

test("of two concurrent creates the first cluster decides, and the second cluster gets only that one", async () => {
  const seesNothing = { get: async () => undefined };
  const { store, east, west } = await setUp({ east: seesNothing, west: seesNothing });
  await east.create(id, input("theirs"));
  await expect(store.create(id, input("ours"))).rejects.toMatchObject({
    code: "already_exists",
    message: "secret api-key already exists",
  });
  expect([await text(east), await text(west)]).toEqual(["theirs", undefined]);
});

test("a failure that is the same in all clusters is thrown as it is", async () => {
  const { store } = await setUp({ east: { create: down }, west: { create: down } });
  await expect(store.create(id, input("v"))).rejects.toMatchObject({ code: "store_unavailable", message: "no route" });
});

test("the error of a write that reaches only some clusters names those where it is done, the others, and why", async () => {
  const { store } = await setUp({ west: { create: down } });
  await expect(store.create(id, input("v"))).rejects.toMatchObject({
    code: "store_unavailable",
    message:
      "secret api-key: done in east, but not in west (store_unavailable: no route) Repeat the call to complete it.",
  });
});

test("a create that some have already is completed with the same value and type, and with no other", async () => {
  const { store, east, west } = await setUp();
  await west.create(id, input("v"));
  const refusal = {
    code: "already_exists",
    message:
      "secret api-key already exists in west, with another value or type. Update it: that completes the other clusters too.",
  };
  await expect(store.create(id, input("another"))).rejects.toMatchObject(refusal);
  await expect(store.create(id, { ...input("v"), type: "image_pull" })).rejects.toMatchObject(refusal);
  await west.setSystem(id, true);
  await expect(store.create(id, input("v"))).rejects.toMatchObject(refusal);
  await west.setSystem(id, false);
  expect(await text(east)).toBeUndefined();
  expect((await store.create(id, input("v"))).clusters).toEqual([
    { cluster: "east", presence: "present" },
    { cluster: "west", presence: "present" },
  ]);
  expect(await text(east)).toBe("v");
});

test("a secret is not found only if every cluster has answered", async () => {
  const { store } = await setUp({ west: { get: down, read: down } });
  const unknown = { code: "store_unavailable" };
  await expect(store.get(id)).rejects.toMatchObject(unknown);
  await expect(store.read(id)).rejects.toMatchObject(unknown);
  await expect(store.update(id, SecretValue.fromText("v"))).rejects.toMatchObject(unknown);
  await expect(store.delete(id)).rejects.toMatchObject(unknown);
});

test("one cluster that answers is enough to be ready", async () => {
  const { store } = await setUp({ east: { check: down } });
  await store.check();
  const { store: none } = await setUp({ east: { check: down }, west: { check: down } });
  await expect(none.check()).rejects.toMatchObject({ code: "store_unavailable" });
});
