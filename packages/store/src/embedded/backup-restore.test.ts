import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SecretValue } from "@flyte-secrets/core";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { describe, expect, onTestFinished, test } from "vitest";
import { expectedStoreValue } from "../testing/expected-store-value.ts";
import { runStoreWorker } from "../testing/run-store-worker.ts";
import { backupStore } from "./backup.ts";
import { openEmbeddedStore } from "./embedded-store.ts";
import { restoreStore } from "./restore.ts";

const id = { org: "flyte", domain: "development", project: "shop", name: "api-key" };
const input = (text: string) => ({ value: SecretValue.fromText(text), type: "generic" }) as const;

async function open(directory: string, masterKey?: Uint8Array) {
  const store = await openEmbeddedStore({ directory, ...(masterKey && { masterKey }) });
  onTestFinished(() => store.close());
  return store;
}

/** An open store with one secret, a backup of it, and a directory with its key only. */
async function createBackup() {
  const root = createTemporaryDirectory();
  const [source, target, file] = [join(root, "source"), join(root, "target"), join(root, "secrets.backup")];
  const store = await open(source);
  const record = await store.create(id, input("backed up"));
  await backupStore({ directory: source, file });
  mkdirSync(target, { mode: 0o700 });
  copyFileSync(join(source, "master.key"), join(target, "master.key"));
  return { root, source, store, record, file, target };
}

const content = (directory: string) =>
  readdirSync(directory)
    .toSorted()
    .map((name) => [name, readFileSync(join(directory, name)).toString("base64")]);

describe("backup", () => {
  test("is one private file without the key, beside which nothing is left", async () => {
    const { root, source, file } = await createBackup();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(root).toSorted()).toEqual(["secrets.backup", "source", "target"]);
    const text = readFileSync(file, "latin1");
    expect(text).toContain("api-key");
    expect(text).not.toContain("backed up");
    const key = readFileSync(join(source, "master.key"), "utf8").trim();
    expect(text).not.toContain(key);
    expect(text).not.toContain(Buffer.from(key, "base64").toString("latin1"));
  });

  test("never overwrites a file, and needs a store to copy", async () => {
    const { root, source, file } = await createBackup();
    const before = readFileSync(file);
    await expect(backupStore({ directory: source, file })).rejects.toMatchObject({ code: "invalid_argument" });
    expect(readFileSync(file)).toEqual(before);
    const nowhere = join(root, "nowhere");
    await expect(backupStore({ directory: nowhere, file: join(root, "x") })).rejects.toMatchObject({
      code: "invalid_argument",
      message: `directory: there is no store in ${nowhere}.`,
    });
    expect(readdirSync(root).toSorted()).toEqual(["secrets.backup", "source", "target"]);
  });

  test("taken while another process writes has every write acknowledged before it", async () => {
    const { root, source, target } = await createBackup();
    let done = false;
    const writing = runStoreWorker({ command: "write", directory: source, count: 600 }).finally(() => {
      done = true;
    });
    const store = await open(source);
    const secondary = { org: "flyte", domain: "development", project: "" };
    let backups = 0;
    for (let index = 0; !done; index += 1) {
      const file = join(root, `backup-${index}`);
      const list = { scope: secondary, limit: 1_000, token: "", clusterTokens: {}, includeSystem: false };
      const before = (await store.list(list)).entries.map((entry) => entry.id);
      await backupStore({ directory: source, file });
      backups += 1;
      await restoreStore({ file, directory: target, replace: true });
      const restored = await openEmbeddedStore({ directory: target });
      for (const each of before) {
        const value = await restored.read(each);
        const expected =
          each.name === id.name
            ? [SecretValue.fromText("backed up")]
            : [0, 1, 2].map((n) => expectedStoreValue(each.name, n));
        expect(expected.some((candidate) => value?.equals(candidate))).toBe(true);
      }
      await restored.close();
    }
    expect((await writing).errors).toBe("");
    expect(backups).toBeGreaterThan(0);
  });
});

describe("restore", () => {
  test("brings back the secrets of the moment of the backup, in a directory that holds only the key", async () => {
    const { store, record, file, target } = await createBackup();
    await store.update(id, SecretValue.fromText("later"));
    await restoreStore({ file, directory: target });
    expect(readdirSync(target).toSorted()).toEqual(["master.key", "store.db"]);
    expect(statSync(join(target, "store.db")).mode & 0o777).toBe(0o600);
    const restored = await open(target);
    expect(await restored.get(id)).toEqual(record);
    expect((await restored.read(id))?.revealText()).toBe("backed up");
    await restored.update(id, SecretValue.fromText("goes on"));
    expect((await restored.read(id))?.revealText()).toBe("goes on");
  });

  test("takes a key that is passed in", async () => {
    const { root, source, file } = await createBackup();
    const masterKey = Buffer.from(readFileSync(join(source, "master.key"), "utf8"), "base64");
    const directory = join(root, "elsewhere");
    await restoreStore({ file, directory, masterKey });
    expect(readdirSync(directory)).toEqual(["store.db"]);
    expect((await (await open(directory, masterKey)).read(id))?.revealText()).toBe("backed up");
  });

  test("does not replace a store without --replace", async () => {
    const { file, target } = await createBackup();
    const other = await openEmbeddedStore({ directory: target });
    await other.create(id, input("of the other store"));
    await other.close();
    const before = content(target);
    await expect(restoreStore({ file, directory: target })).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining("holds a store already"),
    });
    expect(content(target)).toEqual(before);
    await restoreStore({ file, directory: target, replace: true });
    expect((await (await open(target)).read(id))?.revealText()).toBe("backed up");
  });

  test("never replaces a store that is open", async () => {
    const { file, target } = await createBackup();
    const store = await open(target);
    await store.create(id, input("in use"));
    await expect(restoreStore({ file, directory: target, replace: true })).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining(`is in use by this process (${process.pid}). Stop what has it open first.`),
    });
    expect((await store.read(id))?.revealText()).toBe("in use");
    await store.update(id, SecretValue.fromText("still writable"));
  });

  test("replaces a damaged store, and nothing of its write-ahead log comes back", async () => {
    const { source, store, file, target } = await createBackup();
    // The log of a process that was killed: whole frames of the old database, without the page that says what it is.
    const checkpoint = new DatabaseSync(join(source, "store.db"));
    checkpoint.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    checkpoint.close();
    await store.update(id, SecretValue.fromText("in the log"));
    copyFileSync(join(source, "store.db-wal"), join(target, "store.db-wal"));
    writeFileSync(join(target, "store.db"), "damaged ".repeat(2_000), { mode: 0o600 });
    await restoreStore({ file, directory: target, replace: true });
    expect((await (await open(target)).read(id))?.revealText()).toBe("backed up");
  });

  test.each([
    ["a missing key", "store_key_missing", ({ target }) => ({ directory: `${target}-without-key` })],
    ["a wrong key", "store_key_wrong", () => ({ masterKey: new Uint8Array(32) })],
    ["a missing file", "store_unavailable", ({ file }) => ({ file: `${file}.missing` })],
    ["an empty file", "store_damaged", ({ file }) => damage(file, () => Buffer.alloc(0))],
    ["a file cut in half", "store_damaged", ({ file }) => damage(file, (bytes) => bytes.subarray(0, bytes.length / 2))],
    ["a header alone", "store_damaged", ({ file }) => damage(file, (bytes) => bytes.subarray(0, 100))],
    [
      "a header of ours that says nothing",
      "store_damaged",
      ({ file }) => damage(file, () => Buffer.from(EMPTY_HEADER, "base64")),
    ],
    ["a file of others", "store_damaged", ({ file }) => damage(file, () => Buffer.from("PK".repeat(5_000)))],
  ] satisfies [
    string,
    string,
    (paths: { file: string; target: string }) => object,
  ][])("%s is refused before anything is changed", async (_, code, change) => {
    const paths = await createBackup();
    const options = { file: paths.file, directory: paths.target, ...change(paths) };
    await expect(restoreStore(options)).rejects.toMatchObject({ code });
    // A directory that wasn't there is not there afterwards either.
    const left = existsSync(options.directory) ? readdirSync(options.directory) : undefined;
    expect(left).toEqual(options.directory === paths.target ? ["master.key"] : undefined);
  });
});

/** The first bytes of a database, with none of what they announce. */
const EMPTY_HEADER = "U1FMaXRlIGZvcm1hdCAzABAAAgIAQCAgU1FMaXRlIGZvcm1hdCAzAAAAAAEAAAAG";

function damage(file: string, change: (bytes: Buffer) => Uint8Array): { file: string } {
  const damaged = `${file}.damaged`;
  writeFileSync(damaged, change(readFileSync(file)));
  return { file: damaged };
}
