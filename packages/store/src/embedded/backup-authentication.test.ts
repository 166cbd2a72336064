import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SecretValue } from "@flyte-secrets/core";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { describe, expect, test } from "vitest";
import { backupStore } from "./backup.ts";
import { type EmbeddedStore, openEmbeddedStore } from "./embedded-store.ts";
import { rotateMasterKey } from "./manage-keys.ts";
import { describeRestore, restoreStore } from "./restore.ts";

const id = (name: string) => ({ org: "flyte", domain: "", project: "", name });
const text = (value: string) => SecretValue.fromText(value);

async function withStore<T>(directory: string, use: (store: EmbeddedStore) => Promise<T>): Promise<T> {
  const store = await openEmbeddedStore({ directory });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

const read = (directory: string, name: string) =>
  withStore(directory, async (store) => (await store.read(id(name)))?.revealText());

/** A store with two secrets, a backup, and another backup after each was written again. */
async function createBackups() {
  const root = createTemporaryDirectory();
  const paths = {
    source: join(root, "source"),
    target: join(root, "target"),
    older: join(root, "1.db"),
    newer: join(root, "2.db"),
  };
  await withStore(paths.source, async (store) => {
    for (const name of ["a", "b"]) await store.create(id(name), { value: text(`${name} old`), type: "generic" });
  });
  await backupStore({ directory: paths.source, file: paths.older });
  await withStore(paths.source, async (store) => {
    for (const name of ["a", "b"]) await store.update(id(name), text(`${name} new`));
  });
  await backupStore({ directory: paths.source, file: paths.newer });
  mkdirSync(paths.target, { mode: 0o700 });
  copyFileSync(join(paths.source, "master.key"), join(paths.target, "master.key"));
  return paths;
}

/** Changes a backup as somebody can who has the file and not the key. */
function doctor(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

const CHANGED =
  "The backup was changed after it was made, or put together from several. Use another one; nothing was changed.";

describe("a backup that somebody changed", () => {
  test.each<[string, (paths: { older: string; newer: string }) => string]>([
    [
      "a value of an older backup",
      ({ older }) =>
        `ATTACH '${older}' AS o; UPDATE secret_values SET sealed = (SELECT sealed FROM o.secret_values v WHERE v.row = 1) WHERE row = 1`,
    ],
    [
      "a value and the version of an older backup",
      ({ older }) =>
        `ATTACH '${older}' AS o; UPDATE secret_values SET sealed = (SELECT sealed FROM o.secret_values v WHERE v.row = 1) WHERE row = 1; UPDATE secrets SET version = 1 WHERE name = 'a'`,
    ],
    [
      "its seal and one row of an older backup",
      ({ older }) =>
        `ATTACH '${older}' AS o; UPDATE backup_mac SET mac = (SELECT mac FROM o.backup_mac), made_at_ms = (SELECT made_at_ms FROM o.backup_mac); UPDATE secrets SET version = 1 WHERE name = 'a'`,
    ],
    ["two values changed places", () => "UPDATE secrets SET value_row = 3 - value_row"],
    ["a mark", () => "UPDATE secrets SET system = 1 WHERE name = 'a'"],
    ["an age", () => "UPDATE secrets SET created_at_ms = created_at_ms - 1"],
    ["a secret less", () => "DELETE FROM secrets WHERE name = 'a'"],
    [
      "a secret more",
      () =>
        "INSERT INTO secrets SELECT org, domain, project, 'c', type, system, created_at_ms, value_row, version, updated_at_ms FROM secrets WHERE name = 'a'",
    ],
    ["an entry of the change feed", () => "DELETE FROM changes WHERE sequence = 1"],
    ["the number of the next change", () => "UPDATE sqlite_sequence SET seq = 1"],
    ["another time", () => "UPDATE backup_mac SET made_at_ms = made_at_ms + 1"],
    ["a shorter seal", () => "UPDATE backup_mac SET mac = substr(mac, 1, 16)"],
  ])("%s: is refused, and nothing is replaced", async (_, sql) => {
    const paths = await createBackups();
    doctor(paths.newer, sql(paths));
    const restoring = restoreStore({ file: paths.newer, directory: paths.target, unauthenticated: true });
    await expect(restoring).rejects.toMatchObject({ code: "store_damaged", message: CHANGED });
    expect(readdirSync(paths.target)).toEqual(["master.key"]);
  });

  test.each([
    [
      "a trigger",
      "CREATE TRIGGER t AFTER UPDATE ON secret_values BEGIN UPDATE secret_values SET sealed = old.sealed; END",
      'the trigger "t"',
    ],
    ["a view", "CREATE VIEW v AS SELECT * FROM secrets", 'the view "v"'],
    ["a table", "CREATE TABLE t (a)", 'the table "t"'],
    ["an index", "CREATE INDEX i ON changes (kind, name)", 'the index "i"'],
  ])("%s: is refused, also of a store that is opened", async (_, sql, what) => {
    const { source, target, newer } = await createBackups();
    doctor(newer, sql);
    const reason = expect.stringContaining(`${what} is not one of ours. Restore an intact backup.`);
    const refusal = { code: "store_damaged", message: reason };
    await expect(restoreStore({ file: newer, directory: target })).rejects.toMatchObject(refusal);
    doctor(join(source, "store.db"), sql);
    await expect(openEmbeddedStore({ directory: source })).rejects.toMatchObject(refusal);
  });

  test("a backup without a MAC is restored only with --unauthenticated", async () => {
    const { target, newer } = await createBackups();
    doctor(newer, "DELETE FROM backup_mac");
    await expect(restoreStore({ file: newer, directory: target })).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining("(--unauthenticated). Nothing was changed."),
    });
    const report = await restoreStore({ file: newer, directory: target, unauthenticated: true });
    expect(report).toEqual({ madeAt: undefined, difference: undefined });
    expect(await read(target, "a")).toBe("a new");
  });
});

test("a value of another time doesn't open in the place of the present one, though the rest of the row is as it was", async () => {
  const { source, older } = await createBackups();
  doctor(
    join(source, "store.db"),
    `ATTACH '${older}' AS o; UPDATE secret_values SET sealed = (SELECT sealed FROM o.secret_values v WHERE v.row = 1) WHERE row = 1`,
  );
  await expect(read(source, "a")).rejects.toMatchObject({ code: "store_damaged" });
  expect(await read(source, "b")).toBe("b new");
  doctor(join(source, "store.db"), "UPDATE secrets SET system = 1 WHERE name = 'b'");
  await expect(read(source, "b")).rejects.toMatchObject({ code: "store_damaged" });
});

test("an older backup is described by its age and its differences, and replaces a store only with --replace", async () => {
  const { source, older } = await createBackups();
  await withStore(source, async (store) => {
    await store.delete(id("b"));
    await store.create(id("c"), { value: text("c"), type: "generic" });
  });
  const before = readFileSync(join(source, "store.db"));
  const lost = "Secrets of the store that was there: 1 lost, 1 changed, 1 brought back.";
  await expect(restoreStore({ file: older, directory: source })).rejects.toMatchObject({
    code: "invalid_argument",
    message: expect.stringMatching(/holds a store already\. The backup was made at 2\d{3}-.*Z\. .*--replace/),
  });
  expect(readFileSync(join(source, "store.db"))).toEqual(before);
  const report = await restoreStore({ file: older, directory: source, replace: true });
  expect(report.difference).toEqual({ missing: 1, other: 1, added: 1 });
  expect(describeRestore(report)).toContain(lost);
  expect(await read(source, "a")).toBe("a old");
});

test("a backup of before a key's rotation is restored with the former key, and is the present key's then", async () => {
  const { source, older } = await createBackups();
  await rotateMasterKey({ directory: source });
  await restoreStore({ file: older, directory: source, replace: true });
  expect(await read(source, "a")).toBe("a old");
});

describe("a store of the version before", () => {
  const old = join(import.meta.dirname, "../../testdata/store-v1");

  /** A directory with its key; git keeps no modes. */
  function createDirectory(): string {
    const directory = createTemporaryDirectory();
    copyFileSync(join(old, "master.key"), join(directory, "master.key"));
    chmodSync(join(directory, "master.key"), 0o600);
    return directory;
  }

  test("opens with all its values, which are bound to their rows from then on", async () => {
    const directory = createDirectory();
    copyFileSync(join(old, "backup.db"), join(directory, "store.db"));
    expect(await read(directory, "api-key")).toBe("of version 1");
    expect(await read(directory, "registry")).toBe('{"auths":{}}');
    const hidden = { ...id("hidden"), domain: "development", project: "shop" };
    expect(await withStore(directory, async (store) => (await store.read(hidden))?.revealText())).toBe(
      "a system secret",
    );
    doctor(join(directory, "store.db"), "UPDATE secrets SET system = 0");
    await expect(withStore(directory, (store) => store.read(hidden))).rejects.toMatchObject({ code: "store_damaged" });
  });

  test("as a backup has no seal", async () => {
    const directory = createDirectory();
    const file = join(old, "backup.db");
    await expect(restoreStore({ file, directory })).rejects.toMatchObject({ code: "invalid_argument" });
    await restoreStore({ file, directory, unauthenticated: true });
    expect(await read(directory, "api-key")).toBe("of version 1");
  });
});
