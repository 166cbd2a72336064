import { fork } from "node:child_process";
import { join } from "node:path";
import { startServe } from "@flyte-secrets/testkit";
import type { LoadResult } from "./h2load.ts";
import { cpuUs } from "./process.ts";
import { type Answer, type Load, putLoad, sendOnce } from "./rpc-load.ts";
import { type Row, toSpread } from "./table.ts";

const SECONDS = Number(process.env.BENCH_SECONDS ?? "2");
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "3");
const CONNECTIONS = [1, 16, 64];

const CASES: readonly Pick<Load, "call" | "protocol">[] = [
  { call: "get", protocol: "connect-json" },
  { call: "get", protocol: "connect" },
  { call: "get", protocol: "grpc" },
  { call: "create", protocol: "connect-json" },
  { call: "create", protocol: "connect" },
];

/**
 * Calls a second of the service as users start it, and its CPU time a call, against a bare Node server that answers the
 * same bytes (and over HTTP/2 the same trailers): for each call and number of connections, in turns.
 */
export async function benchRpc(): Promise<Row[]> {
  const serve = await startServe();
  const rows: Row[] = [];
  try {
    const common = { url: serve.endpoint, token: serve.token, seconds: SECONDS };
    await sendOnce({ ...common, protocol: "connect-json", call: "create", connections: 1, name: "target" });
    for (const { call, protocol } of CASES) {
      for (const connections of CONNECTIONS) {
        const name = call === "get" ? "target-0" : `c-${protocol}-${connections}`;
        const load: Load = { ...common, protocol, call, connections, name };
        const answer = await sendOnce({ ...load, name: call === "get" ? name : `${name}-first` });
        // Twice: what runs first is compiled while it runs.
        await putLoad({ ...load, connections: 16, name: call === "get" ? name : `${name}-warm`, seconds: 2 });
        const bare = await startBare(answer, protocol === "grpc");
        await putLoad({ ...load, connections: 16, url: bare.url, seconds: 1 });
        const rounds: { ours: Measured; reference: Measured }[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          const ours = await measure({ ...load, name: call === "get" ? name : `${name}-${round}` }, serve.process.pid);
          rounds.push({ ours, reference: await measure({ ...load, url: bare.url }, bare.pid) });
        }
        bare.close();
        const of = (pick: (round: (typeof rounds)[number]) => number) => toSpread(rounds.map(pick));
        rows.push({
          what: `${call}, ${protocol}`,
          connections,
          ours: of(({ ours }) => ours.perSecond),
          "bare server": of(({ reference }) => reference.perSecond),
          ratio: of(({ ours, reference }) => ours.perSecond / reference.perSecond),
          "CPU µs a call": of(({ ours }) => ours.cpuUs),
          "bare, CPU µs": of(({ reference }) => reference.cpuUs),
          "p50 ms": of(({ ours }) => ours.p50Ms),
          "p99 ms": of(({ ours }) => ours.p99Ms),
          failed: rounds.reduce((sum, { ours, reference }) => sum + ours.failed + reference.failed, 0),
        });
      }
    }
  } finally {
    await serve.close();
  }
  return rows;
}

type Measured = LoadResult & { readonly cpuUs: number };

/** A load, and the CPU time that process `pid` used for each request of it. */
async function measure(load: Load, pid = 0): Promise<Measured> {
  const before = cpuUs(pid);
  const result = await putLoad(load);
  return { ...result, cpuUs: (cpuUs(pid) - before) / (result.answered + result.failed) };
}

async function startBare(answer: Answer, http2: boolean) {
  const child = fork(join(import.meta.dirname, "bare-server.mjs"), { stdio: "inherit" });
  const headers = http2 ? answer.headers : { ...answer.headers, "content-length": String(answer.body.byteLength) };
  child.send({ http2, headers, body: answer.body.toString("base64"), trailers: http2 ? { "grpc-status": "0" } : {} });
  const port = await new Promise((resolve) => child.once("message", resolve));
  return { url: `http://127.0.0.1:${port}`, pid: child.pid, close: () => child.disconnect() };
}
