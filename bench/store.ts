import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SecretId, type SecretStore, SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/server";
import { median } from "./process.ts";
import { type Row, ratio } from "./table.ts";

const FEW = 1_000;
const MANY = Number(process.env.BENCH_SECRETS ?? "100000");
const ROUNDS = 9;
const PAGE = 100;
const BATCH = 500;

/** What a page, a get and a value's read cost with many secrets, next to few, in the same run; and a durable write. */
export async function benchStore(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  const stores: SecretStore[] = [];
  try {
    for (const count of [FEW, MANY]) stores.push(await filledStore(join(directory, String(count)), count));
    const [few, many] = stores;
    if (!few || !many) return [];
    return [
      row(`page of ${PAGE}`, await compare(few, many, timePages)),
      row("get", await compare(few, many, timeGets)),
      row("read (decrypts)", await compare(few, many, timeReads)),
      row("create, 1 KiB, durable", await compare(few, many, timeCreates)),
    ];
  } finally {
    for (const store of stores) await store.close();
    rmSync(directory, { recursive: true });
  }
}

const toId = (n: number): SecretId => ({ org: "flyte", domain: "development", project: `p${n % 100}`, name: `s${n}` });
const input = { value: SecretValue.fromText("x".repeat(1024)), type: "generic" } as const;

type Measured = readonly [store: SecretStore, count: number];

async function filledStore(directory: string, count: number): Promise<SecretStore> {
  const store = await openEmbeddedStore({ directory });
  for (let n = 0; n < count; n++) await store.create(toId(n), input);
  return store;
}

/** Medians of rounds that take turns, so that a slow moment of the machine falls on both. */
async function compare(few: SecretStore, many: SecretStore, time: (...measured: Measured) => Promise<number>) {
  const times = { few: [] as number[], many: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.few.push(await time(few, FEW));
    times.many.push(await time(many, MANY));
  }
  return { fewUs: median(times.few) * 1_000, manyUs: median(times.many) * 1_000 };
}

/** All pages of the few, as many of the many, from wherever they begin. */
async function timePages(store: SecretStore): Promise<number> {
  const scope = { org: "flyte", domain: "", project: "" };
  let token = "";
  const pages = FEW / PAGE;
  const started = performance.now();
  for (let page = 0; page < pages; page++) {
    ({ token } = await store.list({ scope, limit: PAGE, token, clusterTokens: {}, includeSystem: false }));
  }
  return (performance.now() - started) / pages;
}

const timeGets = (...measured: Measured) => timeEach(measured, (store, id) => store.get(id));
const timeReads = (...measured: Measured) => timeEach(measured, (store, id) => store.read(id));

async function timeEach(
  [store, count]: Measured,
  call: (store: SecretStore, id: SecretId) => Promise<unknown>,
): Promise<number> {
  const started = performance.now();
  // A stride prime to the count visits ids all over the store.
  for (let n = 0; n < BATCH; n++) await call(store, toId((n * 7_919) % count));
  return (performance.now() - started) / BATCH;
}

async function timeCreates(store: SecretStore): Promise<number> {
  const started = performance.now();
  for (let n = 0; n < BATCH / 5; n++) {
    await store.create({ ...toId(n), name: `new-${started}-${n}`.replace(".", "-") }, input);
  }
  return (performance.now() - started) / (BATCH / 5);
}

function row(what: string, { fewUs, manyUs }: { fewUs: number; manyUs: number }): Row {
  return {
    what,
    [`${MANY} secrets, µs`]: Math.round(manyUs),
    [`${FEW} secrets, µs`]: Math.round(fewUs),
    ratio: ratio(manyUs, fewUs),
  };
}
