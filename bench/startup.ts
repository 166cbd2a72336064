import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { median, residentMib } from "./process.ts";
import { type Row, ratio } from "./table.ts";

const ROUNDS = 5;
const SECRETS = Number(process.env.BENCH_SECRETS ?? "100000");

/** From exec to ready, and resident memory at idle and with many secrets, next to a bare Node server. */
export async function benchStartup(): Promise<Row[]> {
  const bareReadyMs: number[] = [];
  const oursReadyMs: number[] = [];
  let bareMib = 0;
  let idleMib = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const bare = await startBare();
    bareReadyMs.push(bare.readyMs);
    bareMib = bare.residentMib;
    const serve = await startServe();
    oursReadyMs.push(serve.readyMs);
    idleMib = residentMib(pidOf(serve));
    await serve.close();
  }

  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  try {
    const store = await openEmbeddedStore({ directory: join(directory, "store") });
    const input = { value: SecretValue.fromText("x".repeat(64)), type: "generic" } as const;
    for (let n = 0; n < SECRETS; n++) {
      await store.create({ org: "flyte", domain: "development", project: `p${n % 100}`, name: `s${n}` }, input);
    }
    await store.close();
    const serve = await startServe({ directory });
    const full = { readyMs: serve.readyMs, mib: residentMib(pidOf(serve)) };
    await serve.close();
    return [
      row("exec to ready, ms", median(oursReadyMs), median(bareReadyMs)),
      row("resident at idle, MiB", idleMib, bareMib),
      row(`exec to ready with ${SECRETS} secrets, ms`, full.readyMs, median(bareReadyMs)),
      row(`resident with ${SECRETS} secrets, MiB`, full.mib, bareMib),
    ];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function row(what: string, ours: number, bare: number): Row {
  return { what, ours: Math.round(ours), "bare Node server": Math.round(bare), ratio: ratio(ours, bare) };
}

function pidOf(serve: ServeProcess): number {
  return serve.process.pid ?? 0;
}

async function startBare(): Promise<{ readyMs: number; residentMib: number }> {
  const started = performance.now();
  const child = fork(join(import.meta.dirname, "bare-server.mjs"), { stdio: "inherit" });
  child.send({ http2: false, headers: {}, body: "", trailers: {} });
  const port = await new Promise((resolve) => child.once("message", resolve));
  await fetch(`http://127.0.0.1:${port}/`);
  const result = { readyMs: performance.now() - started, residentMib: residentMib(child.pid ?? 0) };
  child.disconnect();
  return result;
}
