import { copyFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { SecretValue } from "@flyte-secrets/core";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { expectedStoreValue } from "../testing/expected-store-value.ts";
import { runStoreWorker } from "../testing/run-store-worker.ts";
import { backupStore } from "./backup.ts";
import { openEmbeddedStore } from "./embedded-store.ts";
import { discardKey, listKeys, rotateDataKey, rotateMasterKey } from "./manage-keys.ts";

const id = (name: string) => ({ org: "flyte", domain: "", project: "", name });
const input = (text: string) => ({ value: SecretValue.fromText(text), type: "generic" }) as const;

async function createStore(masterKey?: Uint8Array) {
  const directory = createTemporaryDirectory();
  const store = await openEmbeddedStore({ directory, ...(masterKey && { masterKey }) });
  onTestFinished(() => store.close());
  await store.create(id("api-key"), input("kept"));
  return { directory, store };
}

function inDatabase(directory: string, sql: string) {
  const database = new DatabaseSync(join(directory, "store.db"));
  try {
    return database.prepare(sql).get();
  } finally {
    database.close();
  }
}

test.each([
  ["of the key file", undefined],
  ["that is passed in", new Uint8Array(32).fill(1)],
])("with the master key %s, a store that is open reads and writes on under another data key", async (_, masterKey) => {
  const { directory, store } = await createStore(masterKey);
  const before = inDatabase(directory, "SELECT sealed FROM secret_values")?.sealed;
  await rotateDataKey({ directory, ...(masterKey && { masterKey }) });
  expect(inDatabase(directory, "SELECT sealed FROM secret_values")?.sealed).not.toEqual(before);
  expect((await store.read(id("api-key")))?.revealText()).toBe("kept");
  await rotateDataKey({ directory, ...(masterKey && { masterKey }) });
  await store.create(id("later"), input("written with the third key"));
  await store.setSystem(id("api-key"), true);
  const other = await openEmbeddedStore({ directory, ...(masterKey && { masterKey }) });
  onTestFinished(() => other.close());
  expect((await other.read(id("later")))?.revealText()).toBe("written with the third key");
  expect((await other.read(id("api-key")))?.revealText()).toBe("kept");
});

test("what the old data key sealed does not stay in the write-ahead log of an open store", async () => {
  const { directory } = await createStore();
  const log = join(directory, "store.db-wal");
  expect(statSync(log).size).toBeGreaterThan(0);
  await rotateDataKey({ directory });
  expect(statSync(log).size).toBe(0);
});

test("after both keys were replaced in the environment, an open store fails because its key is not the store's", async () => {
  const keys = { current: new Uint8Array(32).fill(1), next: new Uint8Array(32).fill(2) };
  const { directory, store } = await createStore(keys.current);
  await rotateMasterKey({ directory, keys });
  expect((await store.read(id("api-key")))?.revealText()).toBe("kept");
  await rotateDataKey({ directory, masterKey: keys.next });
  await expect(store.read(id("api-key"))).rejects.toMatchObject({ code: "store_key_wrong" });
  await expect(store.create(id("b"), input("b"))).rejects.toMatchObject({ code: "store_key_wrong" });
});

test("another process that writes all the time loses nothing while the key is replaced", async () => {
  const { directory, store } = await createStore();
  const writing = runStoreWorker({ command: "write", directory, count: 300 });
  let over = false;
  const ended = writing.finally(() => {
    over = true;
  });
  while (!over) {
    await rotateDataKey({ directory });
    // Lets this process hear that the other one has ended, and the other one write.
    await setImmediate();
  }
  expect(await ended).toMatchObject({ errors: "", exitCode: 0 });
  for (const name of ["key-0", "key-50", "key-99"]) {
    const value = await store.read({ ...id(name), domain: "development" });
    expect(value?.equals(expectedStoreValue(name, 2))).toBe(true);
  }
  expect((await store.read(id("api-key")))?.revealText()).toBe("kept");
});

test("a value that was damaged before stays so, and keeps nobody from replacing the key", async () => {
  const { directory, store } = await createStore();
  await store.create(id("damaged"), input("lost"));
  inDatabase(directory, "UPDATE secret_values SET sealed = zeroblob(40) WHERE row = 2");
  await rotateDataKey({ directory });
  expect((await store.read(id("api-key")))?.revealText()).toBe("kept");
  await expect(store.read(id("damaged"))).rejects.toMatchObject({ code: "store_damaged" });
});

test("a data key that has sealed 2^32 values seals no more until it is replaced", async () => {
  const { directory, store } = await createStore();
  inDatabase(directory, "UPDATE data_key SET further_seals = 4294967294");
  await store.create(id("last"), input("last"));
  await expect(store.create(id("one-more"), input("x"))).rejects.toMatchObject({
    code: "call_refused",
    message: "The store's data key has sealed as many values as it may (2^32). Run: flyte-secrets keys rotate --data",
  });
  await rotateDataKey({ directory });
  await store.create(id("one-more"), input("x"));
  expect(inDatabase(directory, "SELECT further_seals + seq AS seals FROM data_key, sqlite_sequence")).toEqual({
    seals: 3,
  });
});

test("a former master key is kept, is listed with the backups that need it, and can be discarded", async () => {
  const { directory } = await createStore();
  const file = join(directory, "..", `${Date.now()}.backup`);
  await backupStore({ directory, file });
  const [first] = await listKeys({ directory });
  await rotateMasterKey({ directory });
  const id = first?.id ?? "";
  expect(await listKeys({ directory })).toEqual([
    { id: expect.stringMatching(/^[0-9a-f]{16}$/), state: "present", backups: [] },
    { id, state: "kept", backups: [{ file, madeAt: expect.any(Date), keyId: id }] },
  ]);
  copyFileSync(join(directory, "master.key"), join(directory, "master.key.mine"));
  await expect(discardKey({ directory, id: "../master.key" })).rejects.toThrow(
    /no former master key of that id is kept/,
  );
  await discardKey({ directory, id, lose: true });
  expect(readdirSync(directory)).not.toContain(`master.key.${id}`);
  expect((await listKeys({ directory })).map(({ state }) => state)).toEqual(["present", "gone"]);
});
