import { join } from "node:path";
import { type SecretId, SecretValue, type StoreChange } from "@flyte-secrets/core";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { type EmbeddedStore, openEmbeddedStore } from "./embedded-store.ts";

const A: SecretId = { org: "flyte", domain: "dev", project: "", name: "a" };
const B: SecretId = { org: "flyte", domain: "", project: "", name: "b" };

async function openStore(): Promise<{ store: EmbeddedStore; changes: StoreChange[] }> {
  const store = await openEmbeddedStore({ directory: join(createTemporaryDirectory(), "store") });
  onTestFinished(() => store.close());
  await store.create(A, { value: SecretValue.fromText("of a"), type: "generic" });
  const changes: StoreChange[] = [];
  store.watch((change) => changes.push(change));
  return { store, changes };
}

const textOf = async (store: EmbeddedStore, id: SecretId) => (await store.read(id))?.revealText();

test("a copy is delivered as one change, a move as two, the new id first", async () => {
  const { store, changes } = await openStore();
  expect(await store.copy(A, B)).toBe("created");
  expect([await textOf(store, A), await textOf(store, B)]).toEqual(["of a", "of a"]);
  expect(changes).toEqual([{ kind: "put", id: B }]);
  expect(await store.copy(A, B, { overwrite: true, remove: true })).toBe("replaced");
  expect([await textOf(store, A), await textOf(store, B)]).toEqual([undefined, "of a"]);
  expect(changes.slice(1)).toEqual([
    { kind: "put", id: B },
    { kind: "delete", id: A },
  ]);
});

test("a refused change stores nothing and is not delivered to watchers", async () => {
  const { store, changes } = await openStore();
  await store.create(B, { value: SecretValue.fromText("{}"), type: "image_pull" });
  changes.length = 0;
  const code = (call: Promise<unknown>) => call.catch((error) => error.code);
  expect(await code(store.copy(A, B, { remove: true }))).toBe("already_exists");
  expect(await code(store.copy(A, B, { overwrite: true, remove: true }))).toBe("call_refused");
  expect(await code(store.copy({ ...A, name: "none" }, B, { overwrite: true }))).toBe("not_found");
  await store.setSystem(A, true);
  expect(await code(store.copy(A, { ...A, name: "c" }))).toBe("not_found");
  expect(await code(store.copy(B, A, { overwrite: true }))).toBe("already_exists");
  expect([await textOf(store, A), await textOf(store, B)]).toEqual(["of a", "{}"]);
  expect(changes).toEqual([{ kind: "put", id: A }]);
});
