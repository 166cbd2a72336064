import type { StoreChange } from "@flyte-secrets/core";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test, vi } from "vitest";
import { ChangeFeed } from "./change-feed.ts";
import { StoreDatabase } from "./database.ts";
import { prepareStoreDirectory } from "./directory.ts";
import { openKeyring } from "./keyring.ts";

const id = (name: string) => ({ org: "flyte", domain: "", project: "", name });

test("a change of this process that can't be read at once is delivered by the next poll", async () => {
  const database = await StoreDatabase.open(prepareStoreDirectory(createTemporaryDirectory()));
  onTestFinished(() => database.close());
  await openKeyring(database, undefined);
  const feed = new ChangeFeed(database);
  onTestFinished(() => feed.close());
  const heard: StoreChange[] = [];
  feed.watch((change) => heard.push(change));
  const prepare = database.statement.bind(database);
  let isFirst = true;
  vi.spyOn(database, "statement").mockImplementation((sql) => {
    if (!isFirst || !sql.startsWith("SELECT * FROM changes")) return prepare(sql);
    isFirst = false;
    throw new Error("no memory");
  });
  await database.write(() => feed.append("put", id("a")));
  feed.drain();
  expect(heard).toEqual([]);
  await vi.waitFor(() => expect(heard).toEqual([{ kind: "put", id: id("a") }]), 60_000);
});
