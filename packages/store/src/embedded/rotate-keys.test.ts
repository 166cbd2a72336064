import { randomUUID } from "node:crypto";
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SecretValue } from "@flyte-secrets/core";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { runStoreWorker } from "../testing/run-store-worker.ts";
import { backupStore } from "./backup.ts";
import { openEmbeddedStore } from "./embedded-store.ts";
import { rotateMasterKey } from "./manage-keys.ts";
import { toMasterKey } from "./master-key.ts";

const id = { org: "flyte", domain: "", project: "", name: "api-key" };
const key = (fill: number) => new Uint8Array(32).fill(fill);

async function createStore(masterKey?: Uint8Array) {
  const directory = createTemporaryDirectory();
  const store = await openEmbeddedStore({ directory, ...(masterKey && { masterKey }) });
  onTestFinished(() => store.close());
  await store.create(id, { value: SecretValue.fromText("kept"), type: "generic" });
  return { directory, store, keyFile: join(directory, "master.key"), nextKeyFile: join(directory, "master.key.new") };
}

async function readKept(options: Parameters<typeof openEmbeddedStore>[0]) {
  const store = await openEmbeddedStore(options);
  try {
    return (await store.read(id))?.revealText();
  } finally {
    await store.close();
  }
}

test("a rotation leaves values and open stores alone, and only the new key opens the store", async () => {
  const { directory, store, keyFile } = await createStore();
  const oldKey = readFileSync(keyFile);
  await rotateMasterKey({ directory });
  expect(readFileSync(keyFile)).not.toEqual(oldKey);
  expect(await readKept({ directory })).toBe("kept");
  await store.update(id, SecretValue.fromText("by the open store"));
  expect(await readKept({ directory })).toBe("by the open store");
  writeFileSync(keyFile, oldKey);
  await expect(readKept({ directory })).rejects.toMatchObject({ code: "store_key_wrong" });
  expect(readdirSync(directory)).not.toContain("master.key.new");
});

test("a key that is passed in is rotated to the one given, without a key file", async () => {
  const { directory, keyFile } = await createStore(key(1));
  const wrong = { directory, keys: { current: key(3), next: key(2) } };
  await expect(rotateMasterKey(wrong)).rejects.toMatchObject({ code: "store_key_wrong" });
  await rotateMasterKey({ directory, keys: { current: key(1), next: key(2) } });
  expect(await readKept({ directory, masterKey: key(2) })).toBe("kept");
  await expect(readKept({ directory, masterKey: key(1) })).rejects.toMatchObject({ code: "store_key_wrong" });
  expect(existsSync(keyFile)).toBe(false);
});

test("a rotation returns the backups that need the former key, and one to the same key is refused", async () => {
  const { directory } = await createStore(key(1));
  const file = join(directory, "..", `${randomUUID()}.backup`);
  onTestFinished(() => rmSync(file, { force: true }));
  await backupStore({ directory, file, masterKey: key(1) });
  const same = { directory, keys: { current: key(1), next: key(1) } };
  await expect(rotateMasterKey(same)).rejects.toMatchObject({ code: "invalid_argument" });
  const { id } = toMasterKey(key(1));
  expect(await rotateMasterKey({ directory, keys: { current: key(1), next: key(2) } })).toEqual({
    id,
    backups: [{ file, madeAt: expect.any(Date), keyId: id }],
  });
});

test("a rotation cut off before the database names the new key counts as not begun", async () => {
  const { directory, keyFile, nextKeyFile } = await createStore();
  const oldKey = readFileSync(keyFile);
  writeFileSync(nextKeyFile, "half a k", { mode: 0o600 });
  expect(await readKept({ directory })).toBe("kept");
  expect(readFileSync(keyFile)).toEqual(oldKey);
  await rotateMasterKey({ directory });
  expect(await readKept({ directory })).toBe("kept");
  expect(existsSync(nextKeyFile)).toBe(false);
});

test("a rotation that the database refuses leaves the old key in force", async () => {
  const { directory, keyFile } = await createStore();
  const oldKey = readFileSync(keyFile);
  const database = new DatabaseSync(join(directory, "store.db"));
  onTestFinished(() => database.close());
  database.exec("BEGIN IMMEDIATE");
  await expect(rotateMasterKey({ directory })).rejects.toMatchObject({ code: "store_unavailable" });
  expect(readFileSync(keyFile)).toEqual(oldKey);
  database.exec("ROLLBACK");
  expect(await readKept({ directory })).toBe("kept");
  await rotateMasterKey({ directory });
  expect(await readKept({ directory })).toBe("kept");
});

test("an interrupted rotation is completed when the store is opened next", async () => {
  const { directory, keyFile, nextKeyFile } = await createStore();
  copyFileSync(keyFile, `${keyFile}.old`);
  await rotateMasterKey({ directory });
  const newKey = readFileSync(keyFile);
  renameSync(keyFile, nextKeyFile);
  renameSync(`${keyFile}.old`, keyFile);
  expect(await readKept({ directory })).toBe("kept");
  expect(readFileSync(keyFile)).toEqual(newKey);
  expect(existsSync(nextKeyFile)).toBe(false);
});

test("a rotation killed at any moment leaves a store that opens", async () => {
  const { directory } = await createStore();
  for (let round = 0; round < 4; round += 1) {
    const killAfterLines = 1 + Math.floor(Math.random() * 4);
    const { exitCode } = await runStoreWorker({ command: "rotate", directory, count: 100_000, killAfterLines });
    expect(exitCode).toBeNull();
    expect(await readKept({ directory }), `round ${round}, killed after ${killAfterLines} rotations`).toBe("kept");
  }
});

test("rotations by several processes at once leave a store that opens", async () => {
  const { directory } = await createStore();
  const workers = [0, 1, 2].map(() => runStoreWorker({ command: "rotate", directory, count: 5 }));
  const results = await Promise.all(workers);
  expect(results.map(({ lines, errors }) => [lines.length, errors])).toEqual(results.map(() => [5, ""]));
  expect(await readKept({ directory })).toBe("kept");
});

test("there is nothing to rotate where there is no store, and none is made", async () => {
  const directory = createTemporaryDirectory();
  await expect(rotateMasterKey({ directory })).rejects.toMatchObject({ code: "invalid_argument" });
  expect(readdirSync(directory)).toEqual([]);
});
