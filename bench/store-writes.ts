import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type SecretStore, SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { putLoad } from "./rpc-load.ts";
import { type Row, toSpread } from "./table.ts";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "5");
const SYNCS = 300;
const WRITES_PER_WRITER = 50;
const WRITERS = [1, 16, 64];
/** The writers that are clients of `serve`. */
const SERVED = "64, by serve";
const SERVED_SECONDS = 2;

/**
 * Durable creates a second with 1, 16 and 64 writers, and with 64 connections to `serve`, next to how often a second
 * this disk writes 4 KiB durably, one after the other: what a store could do that waits for the disk with each create.
 * Rounds that take turns.
 */
export async function benchStoreWrites(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  const store = await openEmbeddedStore({ directory: join(directory, "store") });
  const serve = await startServe();
  const file = openSync(join(directory, "reference"), "w");
  try {
    const syncs: number[] = [];
    const creates = new Map(WRITERS.map((writers) => [writers, [] as number[]]));
    const served: number[] = [];
    // What runs first is compiled while it runs.
    await servedCreatesPerSecond(serve, "warm");
    for (let round = 0; round < ROUNDS; round++) {
      syncs.push(syncsPerSecond(file));
      for (const [writers, rates] of creates) rates.push(await createsPerSecond(store, { writers, round }));
      served.push(await servedCreatesPerSecond(serve, `round-${round}`));
    }
    return [...creates, [SERVED, served] as const].map(([writers, rates]) => ({
      writers,
      "creates/s": toSpread(rates),
      "fsyncs/s": toSpread(syncs),
      ratio: toSpread(rates.map((rate, round) => rate / (syncs[round] ?? Number.NaN))),
    }));
  } finally {
    closeSync(file);
    await serve.close();
    await store.close();
    rmSync(directory, { recursive: true });
  }
}

function syncsPerSecond(file: number): number {
  const page = Buffer.alloc(4096, 1);
  const started = performance.now();
  for (let n = 0; n < SYNCS; n++) {
    writeSync(file, page);
    fdatasyncSync(file);
  }
  return (SYNCS / (performance.now() - started)) * 1000;
}

/** Each writer creates one secret after the other, and takes a turn of the event loop between, as one behind a socket. */
async function createsPerSecond(store: SecretStore, { writers, round }: { writers: number; round: number }) {
  const content = { value: SecretValue.fromText("x".repeat(64)), type: "generic" } as const;
  const create = async (writer: number) => {
    for (let n = 0; n < WRITES_PER_WRITER; n++) {
      const name = `s-${writers}-${round}-${writer}-${n}`;
      await store.create({ org: "flyte", domain: "development", project: "bench", name }, content);
      await nextTurn();
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: writers }, (_, writer) => create(writer)));
  return ((writers * WRITES_PER_WRITER) / (performance.now() - started)) * 1000;
}

async function servedCreatesPerSecond({ endpoint, token }: ServeProcess, name: string): Promise<number> {
  const load = { url: endpoint, token, protocol: "connect-json", call: "create", connections: 64 } as const;
  const { perSecond, failed } = await putLoad({ ...load, name, seconds: SERVED_SECONDS });
  return failed === 0 ? perSecond : Number.NaN;
}
