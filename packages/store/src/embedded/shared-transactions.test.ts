import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SecretsError } from "@flyte-secrets/core";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { StoreDatabase } from "./database.ts";
import { prepareStoreDirectory } from "./directory.ts";
import { SharedTransactions } from "./shared-transactions.ts";

/** A database with one table, and writes to it that wait `busyTimeoutMs` for another process. */
async function openTable(busyTimeoutMs = 20_000) {
  const directory = prepareStoreDirectory(join(createTemporaryDirectory(), "store"));
  const database = await StoreDatabase.open(directory);
  onTestFinished(() => database.close());
  await database.write(() => database.statement("CREATE TABLE t (word TEXT UNIQUE)").run());
  const shared = new SharedTransactions(database, busyTimeoutMs);
  return {
    shared,
    file: directory.databaseFile,
    insert: (word: string) => database.statement("INSERT INTO t VALUES (?)").run(word),
    rollBack: () => database.statement("ROLLBACK").run(),
    words: () =>
      database
        .statement("SELECT word FROM t ORDER BY rowid")
        .all()
        .map(({ word }) => word),
  };
}

/**
 * How many transactions the write-ahead log holds: frames that end one say so
 * (https://sqlite.org/fileformat2.html#walformat).
 */
function transactionsIn(databaseFile: string): number {
  const log = readFileSync(`${databaseFile}-wal`);
  const pageSize = log.readUInt32BE(8);
  let count = 0;
  for (let at = 32; at + 24 <= log.length; at += 24 + pageSize) if (log.readUInt32BE(at + 4) !== 0) count++;
  return count;
}

const refused = (message: string) => new SecretsError("already_exists", message);

test("concurrent writes share a transaction, and one that throws changes nothing and does not affect the others", async () => {
  const { shared, file, insert, words } = await openTable();
  const before = transactionsIn(file);
  const write = (word: string, isWrong = false) =>
    shared.write(() => {
      insert(word);
      if (isWrong) throw refused(word);
      return word;
    });
  const outcomes = await Promise.allSettled([write("a"), write("b", true), write("c"), write("d", true), write("e")]);
  const told = outcomes.map((each) => (each.status === "fulfilled" ? each.value : each.reason.message));
  expect(told).toEqual(["a", "b", "c", "d", "e"]);
  expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual([true, false, true, false, true]);
  expect(words()).toEqual(["a", "c", "e"]);
  expect(transactionsIn(file) - before).toBe(1);
});

test("large values do not share a transaction, which would block the event loop for long", async () => {
  const { shared, file, insert, words } = await openTable();
  const before = transactionsIn(file);
  const write = (word: string, bytes: number) => shared.write(() => insert(word), { bytes });
  await Promise.all([write("a", 600_000), write("b", 600_000), write("c", 400_000), write("d", 1_048_577)]);
  expect(words()).toEqual(["a", "b", "c", "d"]);
  expect(transactionsIn(file) - before).toBe(3);
});

test("a write alone that throws changes nothing, and what SQLite itself refuses is that write's alone", async () => {
  const { shared, insert, words } = await openTable();
  const wrong = shared.write(() => {
    insert("a");
    throw refused("a");
  });
  await expect(wrong).rejects.toThrow("a");
  expect(words()).toEqual([]);
  const twice = [shared.write(() => insert("a")), shared.write(() => insert("a"))];
  expect((await Promise.allSettled(twice)).map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(words()).toEqual(["a"]);
});

test("what ends the transaction fails all that shared it", async () => {
  const { shared, insert, words, rollBack } = await openTable();
  const ended = () => {
    rollBack();
    throw new Error("the disk is full");
  };
  const both = [shared.write(() => insert("a")), shared.write(ended)];
  expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(words()).toEqual([]);
});

test("a write that is given up while another process holds the database ends at once, and those beside it wait on", async () => {
  const { shared, file, insert, words } = await openTable();
  const holder = new DatabaseSync(file);
  holder.exec("BEGIN IMMEDIATE");
  const giveUp = new AbortController();
  const first = shared.write(() => insert("given up"), { signal: giveUp.signal });
  const second = shared.write(() => insert("kept"));
  giveUp.abort();
  await expect(first).rejects.toMatchObject({ code: "canceled" });
  holder.exec("COMMIT");
  holder.close();
  await second;
  expect(words()).toEqual(["kept"]);
  await shared.settled();
});

test("a write waits no longer for another process than it may", async () => {
  const { shared, file, insert } = await openTable(1);
  const holder = new DatabaseSync(file);
  holder.exec("BEGIN IMMEDIATE");
  await expect(shared.write(() => insert("a"))).rejects.toMatchObject({ code: "store_unavailable" });
  holder.exec("ROLLBACK");
  holder.close();
  await shared.write(() => insert("a"));
});

test("a value for which the disk has no room is refused, and neither deletes nor writes beside it are", async () => {
  const { shared, insert, words } = await openTable();
  const write = (word: string, bytes: number) => shared.write(() => void insert(word), { bytes });
  const outcomes = await Promise.allSettled([write("a", 1), write("b", Number.MAX_SAFE_INTEGER), write("c", 0)]);
  expect(outcomes.map((each) => (each.status === "fulfilled" ? "done" : each.reason.code))).toEqual([
    "done",
    "store_full",
    "done",
  ]);
  expect(words()).toEqual(["a", "c"]);
});
