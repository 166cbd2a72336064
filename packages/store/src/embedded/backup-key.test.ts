import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, test } from "vitest";
import { backupStore } from "./backup.ts";
import { openEmbeddedStore } from "./embedded-store.ts";
import { toMasterKey } from "./master-key.ts";
import { restoreStore } from "./restore.ts";

async function createStore(directory: string) {
  await (await openEmbeddedStore({ directory })).close();
  const keyFile = join(directory, "master.key");
  const masterKey = Buffer.from(readFileSync(keyFile, "utf8"), "base64");
  return { directory, keyFile, masterKey, id: toMasterKey(masterKey).id };
}

/** A backup with its key, and another store with a key of its own. */
async function createBackup() {
  const root = createTemporaryDirectory();
  const source = await createStore(join(root, "source"));
  const file = join(root, "b2.db");
  await backupStore({ directory: source.directory, file });
  return { root, source, file, other: await createStore(join(root, "other")) };
}

async function refusal(options: Parameters<typeof restoreStore>[0]): Promise<{ code: string; message: string }> {
  return await restoreStore(options).then(
    () => expect.fail("was restored"),
    (error) => ({ code: error.code, message: error.message }),
  );
}

test("where another key is in place the message names both, and where the one of the backup belongs", async () => {
  const { file, source, other } = await createBackup();
  const beside = `${other.keyFile}.${source.id}`;
  expect(await refusal({ file, directory: other.directory, replace: true })).toEqual({
    code: "store_key_wrong",
    message:
      `${file} was made under the master key ${source.id}, and ${other.keyFile} holds ${other.id}. ` +
      `Put that key beside it as ${beside} (mode 0600). Nothing was changed.`,
  });
  copyFileSync(source.keyFile, beside);
  await restoreStore({ file, directory: other.directory, replace: true });
  await (await openEmbeddedStore({ directory: other.directory })).close();
});

test("without a key the error names the one that is needed, and no directory is left behind", async () => {
  const { root, file, source } = await createBackup();
  const directory = join(root, "new", "below");
  const keyFile = join(directory, "master.key");
  const message = (from: string) =>
    `${file} was made under the master key ${source.id}. Put that key in place as ${keyFile} (mode 0600)${from}, ` +
    "or set FLYTE_SECRETS_MASTER_KEY to it. Nothing was changed.";
  expect(await refusal({ file, directory })).toEqual({ code: "store_key_missing", message: message("") });
  expect(existsSync(join(root, "new"))).toBe(false);
  mkdirSync(directory, { mode: 0o700, recursive: true });
  const kept = `${keyFile}.${source.id}`;
  copyFileSync(source.keyFile, kept);
  expect(await refusal({ file, directory })).toEqual({ code: "store_key_missing", message: message(`, from ${kept}`) });
  expect(readdirSync(directory)).toEqual([`master.key.${source.id}`]);
  copyFileSync(kept, keyFile);
  await restoreStore({ file, directory });
});

test("where another key is passed in the message names the variable, and the file that has the right one", async () => {
  const { root, file, source, other } = await createBackup();
  const { masterKey } = other;
  const need = `${file} was made under the master key ${source.id}, and FLYTE_SECRETS_MASTER_KEY holds ${other.id}.`;
  expect(await refusal({ file, directory: join(root, "new"), masterKey })).toEqual({
    code: "store_key_wrong",
    message: `${need} Set it to that key. Nothing was changed.`,
  });
  expect(existsSync(join(root, "new"))).toBe(false);
  expect(await refusal({ file, directory: source.directory, replace: true, masterKey })).toEqual({
    code: "store_key_wrong",
    message: `${need} Unset it: ${source.keyFile} holds that key. Nothing was changed.`,
  });
  writeFileSync(other.keyFile, "no key");
  expect(await refusal({ file, directory: other.directory, replace: true, masterKey })).toEqual({
    code: "store_key_wrong",
    message: `${need} Set it to that key. Nothing was changed.`,
  });
});

test("a rotation that was cut off in the middle of a key keeps no backup from being restored", async () => {
  const { file, source, other } = await createBackup();
  writeFileSync(join(source.directory, "master.key.new"), "half a k", { mode: 0o600 });
  await restoreStore({ file, directory: source.directory, replace: true });
  writeFileSync(join(other.directory, "master.key.new"), "half a k", { mode: 0o600 });
  const refused = await refusal({ file, directory: other.directory, replace: true });
  expect(refused.message).toContain(`made under the master key ${source.id}`);
  copyFileSync(source.keyFile, `${other.keyFile}.${source.id}`);
  await restoreStore({ file, directory: other.directory, replace: true });
});

test.each([
  ["a key's name that leads elsewhere", "UPDATE keyring SET key_id = '../../other/master.key'"],
  ["a key's name with control characters", "UPDATE keyring SET key_id = char(27) || '[2Jabcdefghijklm'"],
  ["no data key", "DELETE FROM keyring"],
  ["a table too many", "CREATE TABLE t (a)"],
  ["a newer schema", "PRAGMA user_version = 99"],
  ["a broken data key", "UPDATE keyring SET wrapped_data_key = zeroblob(60)"],
])("a backup with %s is refused under its own name", async (_, sql) => {
  const { root, source, file } = await createBackup();
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
  const { code, message } = await refusal({ file, directory: source.directory, replace: true });
  expect(code).toMatch(/^store_(damaged|too_new)$/);
  expect(message).toContain(file);
  expect(message).not.toMatch(/restoring|\p{Cc}|master\.key\./u);
  expect(readdirSync(root).toSorted()).toEqual(["b2.db", "other", "source"]);
});

test("a file that is no database is refused under its own name", async () => {
  const { root, source } = await createBackup();
  const file = join(root, "text.db");
  writeFileSync(file, "no database ".repeat(1_000));
  chmodSync(file, 0o400);
  expect(await refusal({ file, directory: source.directory, replace: true })).toEqual({
    code: "store_damaged",
    message: `${file} is damaged or not a store of flyte-secrets. Restore an intact backup.`,
  });
});
