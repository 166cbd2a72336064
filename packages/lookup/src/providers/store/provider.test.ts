import { type SecretId, SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { NO_METRICS } from "../../cache/lookup-metrics.ts";
import { createStoreLookup, type StoreLookupOptions } from "./provider.ts";

const scope = { org: "flyte", domain: "development", project: "shop" };
const project: SecretId = { ...scope, name: "api-key" };
const global: SecretId = { ...project, domain: "", project: "" };
const input = (text: string) => ({ value: SecretValue.fromText(text), type: "generic" }) as const;

async function setUp() {
  const directory = createTemporaryDirectory();
  const open = async () => {
    const store = await openEmbeddedStore({ directory });
    onTestFinished(() => store.close());
    return store;
  };
  const store = await open();
  let reads = 0;
  const counted: StoreLookupOptions["store"] = {
    read(...args) {
      reads++;
      return store.read(...args);
    },
    watch: (listener) => store.watch(listener),
    check: () => store.check(),
  };
  const lookup = createStoreLookup({
    store: counted,
    maxBytes: 1_000_000,
    timeoutMs: 10_000,
    clock: () => performance.now(),
    log: pino({ enabled: false }),
    metrics: NO_METRICS,
  });
  onTestFinished(() => lookup.close());
  const find = async () => {
    const result = await lookup.find(scope, "api-key");
    return result.found ? `${result.level} ${result.value.revealText()}` : "nowhere";
  };
  return { store, open, lookup, find, reads: () => reads };
}

test("a known answer costs no read, at whatever scope it was found", async () => {
  const { store, find, reads } = await setUp();
  await store.create(global, input("g"));
  expect(await find()).toBe("global g");
  const before = reads();
  for (let n = 0; n < 100; n++) expect(await find()).toBe("global g");
  expect(reads()).toBe(before);
});

test("every change is seen at the next lookup", async () => {
  const { store, find } = await setUp();
  expect(await find()).toBe("nowhere");
  await store.create(global, input("g"));
  expect(await find()).toBe("global g");
  await store.create(project, input("p"));
  expect(await find()).toBe("project p");
  await store.update(project, SecretValue.fromText("p2"));
  expect(await find()).toBe("project p2");
  await store.delete(project);
  expect(await find()).toBe("global g");
});

test("a change by another process is seen", async () => {
  const { store, open, find } = await setUp();
  await store.create(project, input("old"));
  expect(await find()).toBe("project old");
  const other = await open();
  const { promise, resolve } = Promise.withResolvers<void>();
  onTestFinished(store.watch(() => resolve()));
  await other.update(project, SecretValue.fromText("new"));
  await promise;
  expect(await find()).toBe("project new");
});

test("it is ready while the store answers", async () => {
  const { store, lookup } = await setUp();
  await lookup.ready();
  await store.close();
  await expect(lookup.ready()).rejects.toThrow();
});
