import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCertificate } from "@flyte-secrets/testkit";
import { ADMISSION_CASES, prepareAdmission } from "./admission-case.ts";
import { measureInProcess } from "./admission-in-process.ts";
import { type AdmissionLoad, loadAdmission, postReview } from "./admission-load.ts";
import type { ServerKind, ServerOrder } from "./admission-server.ts";
import type { LoadResult } from "./h2load.ts";
import { residentMib } from "./process.ts";
import { type Row, toSpread } from "./table.ts";

/** Short, since the machine's speed drifts from second to second. */
const TURN_SECONDS = Number(process.env.BENCH_SECONDS ?? "0.4");
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "25");
const STARTS = Number(process.env.BENCH_STARTS ?? "3");
/** Until V8 has compiled what is hot. */
const WARM_UP_SECONDS = 4;
/** As in deploy/Dockerfile. */
export const IMAGE_ARGS = ["--max-semi-space-size=8"];
const NOTHING: LoadResult = { perSecond: Number.NaN, answered: 0, p50Ms: Number.NaN, p99Ms: Number.NaN, failed: 0 };

export interface Surroundings {
  readonly folder: string;
  readonly tls: ServerOrder["tls"];
}

/**
 * Admissions a second, one process: the webhook next to the floor handler (with the webhook's own patch) and a bare
 * server.
 */
export async function benchAdmission(): Promise<Row[]> {
  return inFolder(async (around) => {
    const rows: Row[] = [];
    for (const [index, what] of ADMISSION_CASES.entries()) {
      const { directory, reviewFile } = await prepareAdmission(around.folder, what, String(index));
      const ours: ServerKind = { kind: "ours", directory, delivery: what.delivery };
      const floor: ServerKind = { kind: "floor", patch: await patchOf(ours, reviewFile, around) };
      const orders = [ours, floor, { kind: "bare" } as const].map((server) => ({
        server,
        workers: 1,
        tls: around.tls,
      }));
      const loads = (index === 0 ? [1, 16, 64] : [16]).map((connections) => ({ connections }));
      for (const [load, turns] of await takeTurns(orders, loads, { reviewFile, around })) {
        rows.push({
          what: `${what.secrets} secrets, ${what.level}, ${what.delivery}`,
          connections: load.connections,
          ...summarise(turns),
        });
      }
    }
    return rows;
  });
}

/** What was measured of each server, one right after the other. */
type Turn = readonly LoadResult[];
type TurnLoad = Pick<AdmissionLoad, "connections" | "newConnections">;

/**
 * Measures servers next to each other under each of the loads. All stand ready and warm; the load goes to one after the
 * other in short turns, so that a machine whose speed drifts drifts for all. Since no two processes of the same program
 * are equally quick, all of them are started several times.
 */
async function takeTurns<L extends TurnLoad>(
  orders: readonly ServerOrder[],
  loads: readonly L[],
  { reviewFile, around }: { readonly reviewFile: string; readonly around: Surroundings },
): Promise<Map<L, Turn[]>> {
  const turns = new Map<L, Turn[]>(loads.map((load) => [load, []]));
  const common = { reviewFile, ca: around.tls.cert };
  for (let time = 0; time < STARTS; time++) {
    const servers = await Promise.all(orders.map((order) => startAdmissionServer(order, IMAGE_ARGS)));
    for (const { url } of servers) await loadAdmission({ ...common, url, connections: 16, seconds: WARM_UP_SECONDS });
    for (const [load, taken] of turns) {
      const loads: AdmissionLoad[] = [];
      for (const { url } of servers) {
        const { perSecond } = await loadAdmission({ ...common, url, connections: load.connections, seconds: 1 });
        loads.push({ ...common, ...load, url, seconds: 1, requests: Math.ceil(perSecond * TURN_SECONDS) });
      }
      for (let round = 0; round < ROUNDS; round++) {
        const turn: LoadResult[] = [];
        // Another one begins each time: what a turn leaves behind must not always fall on the same.
        for (let n = 0; n < loads.length; n++) {
          const at = (round + n) % loads.length;
          const own = loads[at];
          if (own) turn[at] = await loadAdmission(own);
        }
        taken.push(turn);
      }
    }
    for (const server of servers) server.close();
  }
  return turns;
}

const spreadOf = (turns: readonly Turn[], n: number, pick: (result: LoadResult) => number) =>
  toSpread(turns.map((turn) => pick(turn[n] ?? NOTHING)));

/** The turns' own ratios. */
const firstAgainst = (turns: readonly Turn[], n: number) =>
  toSpread(turns.map((turn) => (turn[0] ?? NOTHING).perSecond / (turn[n] ?? NOTHING).perSecond));

function summarise(turns: readonly Turn[]) {
  return {
    ours: spreadOf(turns, 0, ({ perSecond }) => perSecond),
    floor: spreadOf(turns, 1, ({ perSecond }) => perSecond),
    bare: spreadOf(turns, 2, ({ perSecond }) => perSecond),
    "ours/floor": firstAgainst(turns, 1),
    "ours/bare": firstAgainst(turns, 2),
    "p50 ms": spreadOf(turns, 0, ({ p50Ms }) => p50Ms),
    "p99 ms": spreadOf(turns, 0, ({ p99Ms }) => p99Ms),
    failed: countFailed(turns),
  };
}

const countFailed = (turns: readonly Turn[]) => turns.flat().reduce((sum, { failed }) => sum + failed, 0);

/** The same without HTTP and TLS. */
export function benchAdmissionInProcess(): Promise<Row[]> {
  return inFolder(({ folder }) => measureInProcess(folder));
}

/**
 * Two processes next to one, what the machine lets two of the floor handler do, and a new TLS connection for each
 * request next to the bare server's.
 */
export async function benchAdmissionScale(): Promise<Row[]> {
  return inFolder(async (around) => {
    const { directory, reviewFile } = await prepareAdmission(
      around.folder,
      { secrets: 3, level: "project", delivery: "SecretRef" },
      "scale",
    );
    const ours: ServerKind = { kind: "ours", directory, delivery: "SecretRef" };
    const floor: ServerKind = { kind: "floor", patch: await patchOf(ours, reviewFile, around) };
    const compare = async (what: string, servers: readonly [Processes, Processes], newConnections = false) => {
      const orders = servers.map((server) => ({ ...server, tls: around.tls }));
      const taken = await takeTurns(orders, [{ connections: 16, newConnections }], { reviewFile, around });
      const turns = [...taken.values()].flat();
      return {
        what,
        measured: spreadOf(turns, 0, ({ perSecond }) => perSecond),
        reference: spreadOf(turns, 1, ({ perSecond }) => perSecond),
        ratio: firstAgainst(turns, 1),
        failed: countFailed(turns),
      };
    };
    return [
      await compare("two processes next to one", [
        { server: ours, workers: 2 },
        { server: ours, workers: 1 },
      ]),
      await compare("two processes of the floor handler next to one", [
        { server: floor, workers: 2 },
        { server: floor, workers: 1 },
      ]),
      await compare(
        "new TLS connections next to the bare server's",
        [
          { server: ours, workers: 1 },
          { server: { kind: "bare" }, workers: 1 },
        ],
        true,
      ),
    ];
  });
}

type Processes = Omit<ServerOrder, "tls">;

/**
 * Resident memory after ten thousand admissions and after many more (BENCH_ADMISSIONS, a million by default), with the
 * young generation of V8's heap held to what the image gives it, and with Node's defaults.
 */
export async function benchAdmissionMemory(): Promise<Row[]> {
  const many = Number(process.env.BENCH_ADMISSIONS ?? "1000000");
  return inFolder(async (around) => {
    const { directory, reviewFile } = await prepareAdmission(
      around.folder,
      { secrets: 3, level: "project", delivery: "SecretRef" },
      "memory",
    );
    const rows: Row[] = [];
    for (const execArgv of [IMAGE_ARGS, []]) {
      const order: ServerOrder = {
        server: { kind: "ours", directory, delivery: "SecretRef" },
        workers: 1,
        tls: around.tls,
      };
      const server = await startAdmissionServer(order, execArgv);
      let done = 0;
      const residentAfter = async (admissions: number) => {
        while (done < admissions) {
          const load = { url: server.url, reviewFile, ca: around.tls.cert, connections: 16, seconds: 1 };
          done += Math.round((await loadAdmission(load)).perSecond);
        }
        return residentMib(server.pid);
      };
      const [early, late] = [await residentAfter(10_000), await residentAfter(many)];
      server.close();
      rows.push({
        "Node's arguments": execArgv.join(" ") || "none",
        "resident MiB after 10000": early,
        admissions: done,
        "resident MiB then": late,
        ratio: late / early,
      });
    }
    return rows;
  });
}

/** Calls `use` with a folder that is removed afterwards, and a certificate for the servers. */
export async function inFolder<T>(use: (around: Surroundings) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  try {
    return await use({ folder, tls: await createCertificate() });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The patch that the webhook answers, for the floor handler to answer one of the same size. */
async function patchOf(server: ServerKind, reviewFile: string, { tls }: Surroundings): Promise<string> {
  const { url, close } = await startAdmissionServer({ server, workers: 1, tls });
  const load: AdmissionLoad = { url, reviewFile, ca: tls.cert, connections: 1, seconds: 1 };
  const { text } = await postReview(load);
  close();
  const { response } = JSON.parse(text) as { response: { patch?: string } };
  if (response.patch === undefined) throw new Error(`the webhook did not change the pod: ${text}`);
  return response.patch;
}

export interface RunningServer {
  readonly url: string;
  readonly pid: number;
  close(): void;
}

/** Starts a process of the measurements; resolves when it listens. */
export async function startAdmissionServer(
  order: ServerOrder,
  execArgv: readonly string[] = [],
): Promise<RunningServer> {
  const script = join(import.meta.dirname, "admission-server.ts");
  const child = fork(script, { stdio: "inherit", execArgv: [...execArgv] });
  child.send(order);
  const port = await new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return { url: `https://127.0.0.1:${port}/mutate--v1-pod`, pid: child.pid ?? 0, close: () => child.disconnect() };
}
