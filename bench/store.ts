import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SecretId, type SecretStore, SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { type Row, ratio } from "./table.ts";

const FEW = 1_000;
const MANY = Number(process.env.BENCH_SECRETS ?? "100000");
const ROUNDS = 100;
const PAGE = 100;
const BATCH = 100;
const CREATES = 10;

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

/** The best of rounds that take turns: what the calls cost when nothing else on the machine gets in between. */
async function compare(few: SecretStore, many: SecretStore, time: (...measured: Measured) => Promise<number>) {
  const times = { few: [] as number[], many: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.few.push(await time(few, FEW));
    times.many.push(await time(many, MANY));
  }
  return { fewUs: Math.min(...times.few) * 1_000, manyUs: Math.min(...times.many) * 1_000 };
}

/** Ten pages, from the first on. */
async function timePages(store: SecretStore): Promise<number> {
  const scope = { org: "flyte", domain: "", project: "" };
  const pages = FEW / PAGE;
  let token = "";
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
  // A stride prime to the count visits ids all over the store, another stretch of them in each round.
  let n = Math.floor(Math.random() * count);
  const started = performance.now();
  for (let done = 0; done < BATCH; done++) {
    n = (n + 7_919) % count;
    await call(store, toId(n));
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

function row(what: string, { fewUs, manyUs }: { fewUs: number; manyUs: number }): Row {
  return {
    what,
    [`${MANY} secrets, µs`]: manyUs.toFixed(1),
    [`${FEW} secrets, µs`]: fewUs.toFixed(1),
    ratio: ratio(manyUs, fewUs),
  };
}
