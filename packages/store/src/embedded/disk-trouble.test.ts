import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SecretValue } from "@flyte-secrets/core";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { expectedStoreValue } from "../testing/expected-store-value.ts";
import { runStoreWorker } from "../testing/run-store-worker.ts";
import { openEmbeddedStore } from "./embedded-store.ts";

const id = { org: "flyte", domain: "", project: "", name: "api-key" };

/** Modes do not bind root: then the worker becomes a user whom they bind. */
const NOBODY = process.geteuid?.() === 0 ? 65_534 : undefined;

/** A store whose directory and files belong to the worker's user and have these modes. */
async function createStore(modes: { directory: number; files: number }) {
  const directory = createTemporaryDirectory();
  const store = await openEmbeddedStore({ directory });
  await store.create(id, { value: SecretValue.fromText("kept"), type: "generic" });
  await store.close();
  const files = readdirSync(directory).map((name) => join(directory, name));
  for (const path of [directory, ...files]) if (NOBODY) chownSync(path, NOBODY, NOBODY);
  for (const path of files) chmodSync(path, modes.files);
  chmodSync(directory, modes.directory);
  onTestFinished(() => chmodSync(directory, 0o700));
  return directory;
}

/** A file system of its own needs a mount namespace, which some containers refuse even to root. */
const CAN_MOUNT = spawnSync("unshare", ["-rm", "true"]).status === 0;

const worker = { command: "write", ...(NOBODY && { user: NOBODY }) } as const;

test("a write to a full disk is refused, nothing acknowledged is lost, and the store opens again", async () => {
  const directory = createTemporaryDirectory();
  const result = await runStoreWorker({ command: "write", directory, count: 3_000, prelude: "ulimit -f 1000" });
  expect(result).toMatchObject({ exitCode: 0, errors: "" });
  const [kept, refused, ...written] = result.lines.toReversed();
  expect(refused).toBe("refused store_full");
  const names = new Set(written.slice(0, -1).map((line) => line.split(" ")[0]));
  expect(names.size).toBeGreaterThan(5);
  expect(kept).toBe(`kept ${names.size} of ${names.size}`);
  // Once there is room again, the write that was refused is done.
  const store = await openEmbeddedStore({ directory });
  onTestFinished(() => store.close());
  const next = `key-${Math.floor((written.length - 1) / 3)}`;
  const nextId = { ...id, domain: "development", name: next };
  const value = expectedStoreValue(next, 2);
  if (await store.get(nextId)) await store.update(nextId, value);
  else await store.create(nextId, { value, type: "generic" });
  expect((await store.read(nextId))?.equals(value)).toBe(true);
});

test("a data directory that cannot be written is refused, whole, and opens again once it can", async () => {
  const directory = await createStore({ directory: 0o500, files: 0o600 });
  expect(await runStoreWorker({ ...worker, directory, count: 1 })).toEqual({
    lines: ["refused store_read_only"],
    exitCode: 0,
    errors: "",
  });
  expect(readdirSync(directory).toSorted()).toEqual(["master.key", "store.db"]);
  chmodSync(directory, 0o700);
  expect(await runStoreWorker({ ...worker, directory, count: 1 })).toMatchObject({ lines: ["open", "key-0 0"] });
});

test("a database file that cannot be written is refused at the write", async () => {
  const directory = await createStore({ directory: 0o700, files: 0o400 });
  expect(await runStoreWorker({ ...worker, directory, count: 1 })).toEqual({
    lines: ["open", "refused store_read_only"],
    exitCode: 0,
    errors: "",
  });
});

test.skipIf(!CAN_MOUNT)("secrets can be deleted from a store that has filled its disk", async () => {
  const directory = createTemporaryDirectory();
  const result = await runStoreWorker({
    command: "fill",
    directory,
    count: 2_000,
    wrapper: ["unshare", "-rm"],
    prelude: `mount -t tmpfs -o size=12m,mode=700 none ${directory}`,
  });
  expect(result).toEqual({
    lines: ["store_full, some were written", "0 could not be deleted"],
    exitCode: 0,
    errors: "",
  });
});

test("a file beside the database that cannot be written is named", async () => {
  const directory = await createStore({ directory: 0o700, files: 0o600 });
  // While a connection is open, SQLite keeps the other two files.
  const connection = new DatabaseSync(join(directory, "store.db"));
  onTestFinished(() => connection.close());
  connection.exec("BEGIN; SELECT count(*) FROM secrets");
  const files = ["store.db-wal", "store.db-shm"].map((name) => join(directory, name));
  for (const path of files) if (NOBODY) chownSync(path, NOBODY, NOBODY);
  chmodSync(join(directory, "store.db-shm"), 0o400);
  const { lines } = await runStoreWorker({ ...worker, command: "create", directory, count: 1 });
  expect(lines).toEqual([
    `store_read_only: ${join(directory, "store.db-shm")} cannot be written by this user. Nothing was changed; make it writable, or ` +
      "choose another data directory (secret.store.path).",
  ]);
});

test("a data directory that cannot be made is refused", async () => {
  const directory = await createStore({ directory: 0o500, files: 0o600 });
  const result = await runStoreWorker({ ...worker, directory: join(directory, "data"), count: 1 });
  expect(result).toMatchObject({ lines: ["refused store_read_only"], exitCode: 0 });
});
