import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SecretValue } from "@flyte-secrets/core";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { StoreDatabase } from "./database.ts";
import { prepareStoreDirectory } from "./directory.ts";
import { openEmbeddedStore } from "./embedded-store.ts";
import { openKeyring } from "./keyring.ts";

async function open(path = createTemporaryDirectory()) {
  const database = await StoreDatabase.open(prepareStoreDirectory(path));
  onTestFinished(() => database.close());
  return database;
}

test("each connection survives a power cut: a write-ahead log that is synchronised at every commit", async () => {
  const database = await open();
  const pragma = (name: string) => Object.values(database.statement(`PRAGMA ${name}`).get() ?? {});
  expect(pragma("journal_mode")).toEqual(["wal"]);
  expect(pragma("synchronous")).toEqual([2]);
});

test("a deleted value is overwritten: its sealed bytes are in no file once the log is in the database", async () => {
  const directory = createTemporaryDirectory();
  const store = await openEmbeddedStore({ directory });
  const id = { org: "flyte", domain: "", project: "", name: "a" };
  await store.create(id, { value: SecretValue.fromText("v".repeat(300)), type: "generic" });
  await store.close();
  const database = await open(directory);
  const checkpoint = () => database.statement("PRAGMA wal_checkpoint(TRUNCATE)").all();
  const [row] = database.statement("SELECT sealed FROM secret_values").all();
  const sealed = Buffer.from(row?.sealed as Uint8Array);
  checkpoint();
  expect(readFileSync(join(directory, "store.db")).includes(sealed)).toBe(true);
  await database.write(() => database.statement("DELETE FROM secret_values").run());
  checkpoint();
  expect(readFileSync(join(directory, "store.db")).includes(sealed.subarray(0, 32))).toBe(false);
});

test("each purpose has a key of its own, and each store others", async () => {
  const keysOf = ({ valueKey, pageTokenKey, backupKey }: Awaited<ReturnType<typeof openKeyring>>) =>
    [valueKey, pageTokenKey, backupKey].map((key) => Buffer.from(key).toString("hex"));
  const rings = [await openKeyring(await open(), undefined), await openKeyring(await open(), undefined)];
  expect(new Set(rings.flatMap(keysOf)).size).toBe(6);
});
