import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, test } from "vitest";
import { backupStore } from "./backup.ts";
import { openEmbeddedStore } from "./embedded-store.ts";
import { discardKey, listKeys, rotateMasterKey } from "./manage-keys.ts";
import { restoreStore } from "./restore.ts";

/** A store without secrets, and where its backups go. */
async function createStore(name = "store") {
  const root = createTemporaryDirectory();
  const directory = join(root, name);
  await (await openEmbeddedStore({ directory })).close();
  const back = (file: string) => backupStore({ directory, file: join(root, file) });
  return { root, directory, back };
}

/** State and backups of each key, without the folder. */
async function summary(directory: string): Promise<readonly string[]> {
  const keys = await listKeys({ directory });
  return keys.map(({ state, backups }) => [state, ...backups.map(({ file }) => file.replace(/.*\//, ""))].join(" "));
}

test("a restored store still knows the backup that it came from, and the key which that needs", async () => {
  const { root, directory, back } = await createStore();
  await back("c1.db");
  await rotateMasterKey({ directory });
  expect(await summary(directory)).toEqual(["present", "kept c1.db"]);
  await restoreStore({ file: join(root, "c1.db"), directory, replace: true });
  expect(await summary(directory)).toEqual(["present", "kept c1.db"]);
});

test("a restored store takes over which backups the replaced one knew, those made later too", async () => {
  const { root, directory, back } = await createStore();
  await back("1.db");
  await rotateMasterKey({ directory });
  await back("2.db");
  await rotateMasterKey({ directory });
  await back("3.db");
  const before = await listKeys({ directory });
  for (const name of ["1.db", "3.db", "2.db", "1.db"]) {
    await restoreStore({ file: join(root, name), directory, replace: true });
    expect((await listKeys({ directory })).map((key) => key.backups)).toEqual(before.map((key) => key.backups));
  }
});

test("a backup that is restored under another name or to another directory counts as a backup there", async () => {
  const { root, directory, back } = await createStore();
  await back("1.db");
  const elsewhere = join(root, "elsewhere");
  mkdirSync(elsewhere, { mode: 0o700 });
  copyFileSync(join(directory, "master.key"), join(elsewhere, "master.key"));
  copyFileSync(join(root, "1.db"), join(root, "copy.db"));
  await restoreStore({ file: join(root, "copy.db"), directory: elsewhere });
  expect(await summary(elsewhere)).toEqual(["present copy.db"]);
});

test("the backups that a damaged store had recorded are lost, and the one that replaces it is recorded", async () => {
  const { root, directory, back } = await createStore();
  await back("1.db");
  await rotateMasterKey({ directory });
  writeFileSync(join(directory, "store.db"), "damaged ".repeat(2_000));
  await restoreStore({ file: join(root, "1.db"), directory, replace: true });
  expect(await summary(directory)).toEqual(["present", "kept 1.db"]);
});

test("a key that backups need goes only when that is meant, and the refusal names them", async () => {
  const { directory, back } = await createStore();
  for (const index of [1, 2, 3, 4, 5, 6, 7]) await back(`${index}.db`);
  await rotateMasterKey({ directory });
  const id = (await listKeys({ directory }))[1]?.id ?? "";
  const refusal = expect.stringMatching(/^key: only .* opens the backups "[^"]*1\.db", .*5\.db" and 2 more.*--yes/);
  await expect(discardKey({ directory, id })).rejects.toMatchObject({ code: "invalid_argument", message: refusal });
  expect(readdirSync(directory)).toContain(`master.key.${id}`);
  await discardKey({ directory, id, lose: true });
  expect(readdirSync(directory)).not.toContain(`master.key.${id}`);
  expect((await listKeys({ directory }))[1]?.state).toBe("gone");
});

test("a key that no backup needs goes without more words", async () => {
  const { directory } = await createStore();
  await rotateMasterKey({ directory });
  const id = (await listKeys({ directory }))[1]?.id ?? "";
  await discardKey({ directory, id });
  expect(await summary(directory)).toEqual(["present"]);
});
