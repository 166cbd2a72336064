import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { runCli } from "@flyte-secrets/cli/testing";
import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { expect, onTestFinished, test } from "vitest";

const id = { org: "flyte", domain: "", project: "", name: "a" };

/** A home with one secret, a function that runs the command in it, and a backup that was made by it. */
async function createHome() {
  const home = mkdtempSync(join(tmpdir(), "flyte-secrets-backups-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const directory = join(home, ".flyte-secrets");
  const store = await openEmbeddedStore({ directory });
  await store.create(id, { type: "generic", value: SecretValue.fromText("v1-old") });
  await store.close();
  const run = (...args: string[]) => runCli({ args, env: { PATH: process.env.PATH ?? "", HOME: home }, cwd: home });
  expect(await run("backup", "old.db")).toMatchObject({ exitCode: 0 });
  return { home, directory, run, file: join(home, "old.db") };
}

function execute(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

async function readValue(directory: string): Promise<string | undefined> {
  const store = await openEmbeddedStore({ directory });
  try {
    return (await store.read(id))?.revealText();
  } finally {
    await store.close();
  }
}

test("M2: a backup with a trigger that undoes later writes is not restored, nor is a store opened that got one", async () => {
  const { directory, run, file } = await createHome();
  const trigger = "CREATE TRIGGER t BEFORE UPDATE ON secret_values BEGIN SELECT RAISE(IGNORE); END";
  execute(file, trigger);
  const refused = await run("restore", "old.db", "--replace", "--unauthenticated");
  expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
  expect(refused.stderr).toContain('the trigger "t" is not one of ours. Restore an intact backup.');
  expect(await readValue(directory)).toBe("v1-old");
  execute(join(directory, "store.db"), trigger);
  expect((await run("doctor")).stdout).toContain('the trigger "t" is not one of ours');
});

test("M2: an older backup says what it takes back, and a value of it can't be put into a newer one", async () => {
  const { home, directory, run, file } = await createHome();
  const store = await openEmbeddedStore({ directory });
  await store.update(id, SecretValue.fromText("v2-new"));
  await store.close();
  expect(await run("backup", "new.db")).toMatchObject({ exitCode: 0 });
  execute(
    join(home, "new.db"),
    `ATTACH '${file}' AS o; UPDATE secret_values SET sealed = (SELECT sealed FROM o.secret_values)`,
  );
  const mixed = await run("restore", "new.db", "--replace");
  expect(mixed).toMatchObject({ exitCode: 1, stdout: "" });
  expect(mixed.stderr).toContain("The backup was changed after it was made, or put together from several.");
  const older = await run("restore", "old.db");
  expect(older).toMatchObject({ exitCode: 1, stdout: "" });
  expect(older.stderr).toMatch(/The backup was made at 2.*: 0 lost, 1 changed, 0 brought back\..*--replace/);
  expect(await readValue(directory)).toBe("v2-new");
  expect(await run("restore", "old.db", "--replace")).toMatchObject({ exitCode: 0 });
  expect(await readValue(directory)).toBe("v1-old");
});

test("L9: the data key is replaced, the former master key is kept for backups, and nothing of a key is shown", async () => {
  const { home, directory, run, file } = await createHome();
  expect(await run("keys", "rotate", "--data")).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await run("keys", "rotate")).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await readValue(directory)).toBe("v1-old");
  const { stdout } = await run("keys", "list");
  const rows = stdout
    .trimEnd()
    .split("\n")
    .map((row) => row.split(/ {2,}/));
  expect(rows).toEqual([
    ["KEY", "STATE", "BACKUP", "MADE"],
    [expect.stringMatching(/^[0-9a-f]{16}$/), "present", "-", "-"],
    [expect.stringMatching(/^[0-9a-f]{16}$/), "kept", file, expect.stringMatching(/Z$/)],
  ]);
  expect(await run("restore", "old.db", "--replace")).toMatchObject({ exitCode: 0 });
  expect(await run("keys", "discard", rows[2]?.[0] ?? "")).toMatchObject({ exitCode: 1, stdout: "" });
  expect(await run("keys", "discard", rows[2]?.[0] ?? "", "--yes")).toMatchObject({ exitCode: 0 });
  const elsewhere = join(home, "elsewhere");
  mkdirSync(elsewhere, { mode: 0o700 });
  expect(await run("restore", "old.db", "--secret.store.path", elsewhere)).toMatchObject({ exitCode: 1 });
  expect(readdirSync(elsewhere)).toEqual([]);
});
