import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type SecretStore, SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { type Row, toSpread } from "./table.ts";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "5");
const SYNCS = 300;
const WRITES_PER_WRITER = 50;
const WRITERS = [1, 16, 64];

/**
 * Durable creates a second with 1, 16 and 64 writers, next to how often a second this disk writes 4 KiB durably, one
 * after the other: what a store could do that waits for the disk with each create. Rounds that take turns.
 */
export async function benchStoreWrites(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  const store = await openEmbeddedStore({ directory: join(directory, "store") });
  const file = openSync(join(directory, "reference"), "w");
  try {
    const syncs: number[] = [];
    const creates = new Map(WRITERS.map((writers) => [writers, [] as number[]]));
    for (let round = 0; round < ROUNDS; round++) {
      syncs.push(syncsPerSecond(file));
      for (const [writers, rates] of creates) rates.push(await createsPerSecond(store, { writers, round }));
    }
    return [...creates].map(([writers, rates]) => ({
      writers,
      "creates/s": toSpread(rates),
      "fsyncs/s": toSpread(syncs),
      ratio: toSpread(rates.map((rate, round) => rate / (syncs[round] ?? Number.NaN))),
    }));
  } finally {
    closeSync(file);
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
