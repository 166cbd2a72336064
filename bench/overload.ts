import { readFileSync } from "node:fs";
import { startServe } from "@flyte-secrets/testkit";
import { inFolder, startAdmissionServer } from "./admission.ts";
import { prepareAdmission } from "./admission-case.ts";
import { type LoadResult, type RepeatedRequest, runH2load } from "./h2load.ts";
import { buildRequest, sendOnce } from "./rpc-load.ts";
import { type Row, toSpread } from "./table.ts";

const SECONDS = Number(process.env.BENCH_SECONDS ?? "3");
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "3");
/** Among these is the number of connections at which most is answered. */
const CONNECTIONS = [4, 16, 64];
const TIMES = 10;
/** What an open load may have in flight at most. With fewer, it would wait for the server, as a closed one does. */
const OPEN_CONNECTIONS = 1_000;

/** Fewer than a server makes with TLS, so that all stand before it is measured, as an API server's do. */
const CONNECTS_PER_SECOND = 200;

type Target = Pick<RepeatedRequest, "url" | "http" | "headers" | "body">;

/**
 * Goodput, which is answers of 2xx a second, of the service and of the webhook under more load than they can serve:
 * with ten times the connections at which most was answered, each sending its next request when its last was answered
 * (closed loop), and with twice as many requests a second as were answered then (open loop).
 */
export async function benchOverload(): Promise<Row[]> {
  const rows: Row[] = [];
  const serve = await startServe();
  try {
    const load = { url: serve.endpoint, token: serve.token, seconds: SECONDS, connections: 1 } as const;
    await sendOnce({ ...load, protocol: "connect-json", call: "create", name: "target" });
    const { path, headers, body } = buildRequest(
      { ...load, protocol: "connect-json", call: "get", name: "target-0" },
      0,
    );
    rows.push(...(await overload("service, get", { url: serve.endpoint + path, http: "1.1", headers, body })));
  } finally {
    await serve.close();
  }
  const admissions = await inFolder(async ({ folder, tls }) => {
    const what = { secrets: 3, level: "project", delivery: "SecretRef" } as const;
    const { directory, reviewFile } = await prepareAdmission(folder, what, "overload");
    const server = { kind: "ours", directory, delivery: what.delivery } as const;
    const { url, close } = await startAdmissionServer({ server, workers: 1, tls });
    const headers = { "content-type": "application/json" };
    try {
      return await overload("webhook, admission", { url, http: "1.1", headers, body: readFileSync(reviewFile) });
    } finally {
      close();
    }
  });
  return [...rows, ...admissions];
}

async function overload(what: string, target: Target): Promise<Row[]> {
  await runH2load({ ...target, connections: 16, seconds: 4 });
  const put = async (load: { connections: number; perSecond?: number }) => {
    const rounds: LoadResult[] = [];
    const timed = { seconds: SECONDS, warmUpSeconds: Math.ceil(1 + load.connections / CONNECTS_PER_SECOND) };
    for (let n = 0; n < ROUNDS; n++) rounds.push(await runH2load({ ...target, ...load, ...timed }));
    return rounds;
  };
  const closed = new Map<number, LoadResult[]>();
  for (const connections of CONNECTIONS) closed.set(connections, await put({ connections }));
  const [atPeak = 0] = [...closed.entries()].toSorted(([, a], [, b]) => goodputOf(b) - goodputOf(a))[0] ?? [];
  const peak = goodputOf(closed.get(atPeak) ?? []);
  closed.set(atPeak * TIMES, await put({ connections: atPeak * TIMES }));
  const toRow = (load: string, connections: number, rounds: readonly LoadResult[]): Row => ({
    what,
    load,
    connections,
    "goodput, /s": toSpread(rounds.map(({ perSecond }) => perSecond)),
    "of the peak": toSpread(rounds.map(({ perSecond }) => perSecond / peak)),
    "p50 ms": toSpread(rounds.map(({ p50Ms }) => p50Ms)),
    "p99 ms": toSpread(rounds.map(({ p99Ms }) => p99Ms)),
    "without 2xx": rounds.reduce((sum, { failed }) => sum + failed, 0),
  });
  const perSecond = Math.round(2 * peak);
  const open = await put({ connections: OPEN_CONNECTIONS, perSecond });
  return [
    ...[...closed].map(([connections, rounds]) => toRow(nameOf(connections, atPeak), connections, rounds)),
    toRow(`open loop, twice the peak: ${perSecond}/s`, OPEN_CONNECTIONS, open),
  ];
}

function nameOf(connections: number, atPeak: number): string {
  if (connections === atPeak) return "closed loop, the peak";
  return connections === atPeak * TIMES ? `closed loop, ${TIMES} times the peak's connections` : "closed loop";
}

const goodputOf = (rounds: readonly LoadResult[]) => toSpread(rounds.map(({ perSecond }) => perSecond)).median;
