import { execFile } from "node:child_process";
import { readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { SecretValue } from "@flyte-secrets/core";
import { createTemporaryDirectory, describeSecretStore, type StoreHarness } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { type EmbeddedStoreOptions, openEmbeddedStore } from "./embedded-store.ts";

async function startEmbedded(): Promise<StoreHarness> {
  const directory = createTemporaryDirectory();
  const store = await openEmbeddedStore({ directory });
  const clients = [store];
  return {
    store,
    async connect() {
      const client = await openEmbeddedStore({ directory });
      clients.push(client);
      return client;
    },
    async markSystem(id) {
      await store.setSystem(id, true);
    },
    async close() {
      for (const client of clients) await client.close();
    },
  };
}

describeSecretStore("the embedded store", startEmbedded);

async function open(options: EmbeddedStoreOptions) {
  const store = await openEmbeddedStore(options);
  onTestFinished(() => store.close());
  return store;
}

const id = { org: "flyte", domain: "development", project: "shop", name: "api-key" };
const CANARY = "canary-5f0c1d7e-of-the-embedded-store";

test("a secret is present in the cluster that the store stands for", async () => {
  const store = await open({ directory: createTemporaryDirectory(), clusterName: "laptop" });
  const { clusters } = await store.create(id, { value: SecretValue.fromText("x"), type: "generic" });
  expect(clusters).toEqual([{ cluster: "laptop", presence: "present" }]);
});

test("a system secret is made an ordinary one again, and marking what isn't there is not found", async () => {
  const store = await open({ directory: createTemporaryDirectory() });
  await expect(store.setSystem(id, true)).rejects.toMatchObject({ code: "not_found" });
  const created = await store.create(id, { value: SecretValue.fromText("x"), type: "generic" });
  expect(await store.setSystem(id, true)).toEqual({ ...created, system: true });
  expect(await store.setSystem(id, false)).toEqual(created);
  expect(await store.get(id)).toEqual(created);
});

/** All files of a directory, read by another process: a plain read of an open database drops the locks of this one. */
async function searchable(directory: string): Promise<{ content: string; names: string[] }> {
  const names = readdirSync(directory).toSorted();
  const options = { encoding: "latin1", maxBuffer: 64 * 1024 * 1024 } as const;
  const { stdout } = await promisify(execFile)(
    "cat",
    names.map((name) => join(directory, name)),
    options,
  );
  return { content: stdout.toLowerCase(), names };
}

test("no file of the data directory contains a value: plain, in base64 or in hex", async () => {
  const directory = createTemporaryDirectory();
  const store = await openEmbeddedStore({ directory });
  const filler = "with a tail long enough to leave the page ".repeat(200);
  await store.create(id, { value: SecretValue.fromText(CANARY), type: "generic" });
  await store.update(id, SecretValue.fromText(`${filler}${CANARY}${filler}`));
  await store.create({ ...id, name: "second" }, { value: SecretValue.fromText(CANARY), type: "image_pull" });
  await store.delete({ ...id, name: "second" });
  const { content, names } = await searchable(directory);
  await store.close();
  expect(names).toEqual(["master.key", "store.db", "store.db-shm", "store.db-wal"]);
  // Base64 of a text inside a longer one depends on where it begins: these parts are in it for each of the three
  // offsets.
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.from("x".repeat(offset) + CANARY)
      .toString("base64")
      .slice(4, -4),
  );
  expect(content).toContain("api-key");
  for (const form of [CANARY, Buffer.from(CANARY).toString("hex"), ...base64]) {
    expect(content).not.toContain(form.toLowerCase());
  }
});

test("a sealed value put in another secret's place, or changed by a bit, is damaged and not a value", async () => {
  const directory = createTemporaryDirectory();
  const store = await open({ directory });
  const ids = ["a", "b", "c"].map((name) => ({ ...id, name }));
  for (const each of ids) await store.create(each, { value: SecretValue.fromText(each.name), type: "generic" });
  const database = new DatabaseSync(join(directory, "store.db"));
  database.exec(`
    UPDATE secrets SET value_row = (SELECT value_row FROM secrets WHERE name = 'c') WHERE name = 'a';
    UPDATE secrets SET type = 'image_pull' WHERE name = 'b';
  `);
  database.close();
  for (const name of ["a", "b"]) {
    await expect(store.read({ ...id, name })).rejects.toMatchObject({
      code: "store_damaged",
      message: expect.stringContaining(`__key__${name}`),
    });
  }
  expect((await store.read({ ...id, name: "c" }))?.revealText()).toBe("c");
  await store.update({ ...id, name: "a" }, SecretValue.fromText("written again"));
  expect((await store.read({ ...id, name: "a" }))?.revealText()).toBe("written again");
});

test("a watcher that fell behind the kept changes receives a reset", async () => {
  const directory = createTemporaryDirectory();
  const store = await open({ directory });
  await store.create(id, { value: SecretValue.fromText("x"), type: "generic" });
  const changes: unknown[] = [];
  onTestFinished(store.watch((change) => changes.push(change)));
  // In one go, as it looks to a watcher that did not come round to reading for a long time.
  const database = new DatabaseSync(join(directory, "store.db"));
  database.exec("UPDATE sqlite_sequence SET seq = 50000 WHERE name = 'changes'");
  database.close();
  await store.update(id, SecretValue.fromText("y"));
  await store.update(id, SecretValue.fromText("z"));
  expect(changes).toEqual([{ kind: "reset" }, { kind: "put", id }]);
});

test("the log of changes keeps to its length", async () => {
  const directory = createTemporaryDirectory();
  const store = await open({ directory });
  await store.create(id, { value: SecretValue.fromText("x"), type: "generic" });
  const database = new DatabaseSync(join(directory, "store.db"));
  onTestFinished(() => database.close());
  database.exec("UPDATE changes SET sequence = 1; UPDATE sqlite_sequence SET seq = 10001 WHERE name = 'changes'");
  await store.update(id, SecretValue.fromText("y"));
  expect(database.prepare("SELECT sequence FROM changes").all()).toEqual([{ sequence: 10_002 }]);
});

test("a write waits for another process that holds the store, then it is unavailable", async () => {
  const directory = createTemporaryDirectory();
  const store = await open({ directory, busyTimeoutMs: 100 });
  const patient = await open({ directory });
  const holder = new DatabaseSync(join(directory, "store.db"));
  onTestFinished(() => holder.close());
  holder.exec("BEGIN IMMEDIATE");
  const input = { value: SecretValue.fromText("x"), type: "generic" } as const;
  await expect(store.create(id, input)).rejects.toMatchObject({
    code: "store_unavailable",
    message: expect.stringContaining("locked by another process"),
  });
  await expect(patient.create(id, input, { signal: AbortSignal.timeout(30) })).rejects.toMatchObject({
    code: "deadline_exceeded",
  });
  expect(await store.get(id)).toBeUndefined();
  const waiting = patient.create(id, input);
  holder.exec("ROLLBACK");
  expect(await waiting).toMatchObject({ id });
});

test("a store whose file was removed refuses writes and its check instead of writing to nowhere", async () => {
  const directory = createTemporaryDirectory();
  const store = await open({ directory });
  renameSync(join(directory, "store.db"), join(directory, "moved.db"));
  const gone = { code: "store_unavailable", message: expect.stringContaining("removed or replaced") };
  await expect(store.create(id, { value: SecretValue.fromText("x"), type: "generic" })).rejects.toMatchObject(gone);
  await expect(store.check()).rejects.toMatchObject(gone);
});
