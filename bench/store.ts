import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SecretId, type SecretStore, SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { type Row, toSpread } from "./table.ts";

const SIZES = (process.env.BENCH_SIZES ?? "100,1000,10000,100000").split(",").map(Number);
const ROUNDS = 50;
const PAGE = 100;
const BATCH = 100;
const CREATES = 10;
const WRITERS = 64;

/** One call's milliseconds, as a short turn of many calls gives it. */
type Timed = (store: SecretStore, count: number) => Promise<number>;

const CALLS: Readonly<Record<string, Timed>> = {
  [`page of ${PAGE}, µs`]: timePages,
  "get, µs": (store, count) => timeEach(count, (id) => store.get(id)),
  "read (decrypts), µs": (store, count) => timeEach(count, (id) => store.read(id)),
  "create, 1 KiB, durable, µs": timeCreates,
};

/** What a page, a get, a value's read and a durable write cost with few secrets and with many, in turns. */
export async function benchStore(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  const stores: { count: number; store: SecretStore }[] = [];
  try {
    for (const count of SIZES) stores.push({ count, store: await filledStore(join(directory, String(count)), count) });
    const times = new Map(stores.map(({ count }) => [count, Object.keys(CALLS).map((): number[] => [])]));
    for (const [index, call] of Object.values(CALLS).entries()) {
      for (let round = 0; round < ROUNDS; round++) {
        for (const { count, store } of stores) times.get(count)?.[index]?.push((await call(store, count)) * 1_000);
      }
    }
    return [...times].map(([count, each]) => ({
      secrets: count,
      ...Object.fromEntries(Object.keys(CALLS).map((name, index) => [name, toSpread(each[index] ?? [])])),
    }));
  } finally {
    for (const { store } of stores) await store.close();
    rmSync(directory, { recursive: true });
  }
}

const toId = (n: number): SecretId => ({ org: "flyte", domain: "development", project: `p${n % 100}`, name: `s${n}` });
const input = { value: SecretValue.fromText("x".repeat(1024)), type: "generic" } as const;

async function filledStore(directory: string, count: number): Promise<SecretStore> {
  const store = await openEmbeddedStore({ directory });
  for (let done = 0; done < count; done += WRITERS) {
    const writers = Math.min(WRITERS, count - done);
    await Promise.all(Array.from({ length: writers }, (_, n) => store.create(toId(done + n), input)));
  }
  return store;
}

/** Ten pages of the largest, from the first on; as many as there are of a smaller store. */
async function timePages(store: SecretStore, count: number): Promise<number> {
  const scope = { org: "flyte", domain: "", project: "" };
  const pages = Math.min(10, Math.ceil(count / PAGE));
  let token = "";
  const started = performance.now();
  for (let page = 0; page < pages; page++) {
    ({ token } = await store.list({ scope, limit: PAGE, token, clusterTokens: {}, includeSystem: false }));
  }
  return (performance.now() - started) / pages;
}

async function timeEach(count: number, call: (id: SecretId) => Promise<unknown>): Promise<number> {
  // A stride prime to the count visits ids all over the store, another stretch of them in each round.
  let n = Math.floor(Math.random() * count);
  const started = performance.now();
  for (let done = 0; done < BATCH; done++) {
    n = (n + 7_919) % count;
    await call(toId(n));
  }
  return (performance.now() - started) / BATCH;
}

async function timeCreates(store: SecretStore): Promise<number> {
  const started = performance.now();
  for (let n = 0; n < CREATES; n++) {
    await store.create({ ...toId(n), name: `new-${started}-${n}`.replace(".", "-") }, input);
  }
  return (performance.now() - started) / CREATES;
}
