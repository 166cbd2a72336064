import { SecretValue } from "@flyte-secrets/core";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { type EmbeddedStore, openEmbeddedStore } from "./embedded-store.ts";

const id = { org: "flyte", domain: "development", project: "shop", name: "api-key" };
const content = { value: SecretValue.fromText("x"), type: "generic" } as const;

/** A store with one secret, and another connection to it, as another process has it. */
async function setUp() {
  const directory = createTemporaryDirectory();
  const open = async () => {
    const store = await openEmbeddedStore({ directory });
    onTestFinished(() => store.close());
    return store;
  };
  const own = await open();
  await own.create(id, content);
  return { own, other: await open() };
}

test("a record is read once as long as nothing is written", async () => {
  const { own } = await setUp();
  const record = await own.get(id);
  expect(await own.get(id)).toBe(record);
  await own.create({ ...id, name: "second" }, content);
  const again = await own.get(id);
  expect(again).not.toBe(record);
  expect(again).toEqual(record);
});

const CHANGES: Record<string, (store: EmbeddedStore) => Promise<unknown>> = {
  deleted: (store) => store.delete(id),
  marked: (store) => store.setSystem(id, true),
  moved: (store) => store.copy(id, { ...id, name: "moved" }, { remove: true }),
};

test.each(
  ["own", "other"].flatMap((by) => Object.entries(CHANGES).map(([how, change]) => [by, how, change] as const)),
)("what the %s connection has %s is not answered as it was", async (by, _, change) => {
  const { own, other } = await setUp();
  expect(await own.get(id)).toBeDefined();
  await change(by === "own" ? own : other);
  expect(await own.get(id)).toBeUndefined();
});

test("a system secret that was read as such is absent for everybody else", async () => {
  const { own } = await setUp();
  await own.setSystem(id, true);
  expect(await own.get(id, { includeSystem: true })).toMatchObject({ system: true });
  expect(await own.get(id)).toBeUndefined();
});

test("a secret that does not exist is found as soon as it does", async () => {
  const { own, other } = await setUp();
  const second = { ...id, name: "second" };
  expect(await own.get(second)).toBeUndefined();
  const created = await other.create(second, content);
  expect(await own.get(second)).toEqual(created);
});
