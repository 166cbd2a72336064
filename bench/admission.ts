import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCertificate } from "@flyte-secrets/testkit";
import { ADMISSION_CASES, prepareAdmission } from "./admission-case.ts";
import { measureInProcess } from "./admission-in-process.ts";
import { type AdmissionLoad, type AdmissionLoadResult, loadAdmission, postReview } from "./admission-load.ts";
import type { ServerKind, ServerOrder } from "./admission-server.ts";
import { median, residentMib } from "./process.ts";
import { type Row, ratio } from "./table.ts";

const SECONDS = Number(process.env.BENCH_SECONDS ?? "2");
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "5");
const STARTS = Number(process.env.BENCH_STARTS ?? "3");
/** Until V8 has compiled what is hot. */
const WARM_UP_SECONDS = 4;
/** As in deploy/Dockerfile. */
const IMAGE_ARGS = ["--max-semi-space-size=8"];
const NOTHING: AdmissionLoadResult = { perSecond: Number.NaN, p50Ms: Number.NaN, p99Ms: Number.NaN, failed: 0 };

interface Surroundings {
  readonly folder: string;
  readonly tls: ServerOrder["tls"];
}

/**
 * Admissions a second, one process: the webhook next to the floor handler (with the webhook's own patch) and a bare server. All
 * three stand ready and warm; the load goes to one after the other in short turns, so that a machine whose speed drifts
 * drifts for all, and the ratios are medians of the turns' own ratios. Since no two processes of the same program are equally
 * quick, all of them are started several times.
 */
export async function benchAdmission(): Promise<Row[]> {
  return inFolder(async (around) => {
    const rows: Row[] = [];
    for (const [index, what] of ADMISSION_CASES.entries()) {
      const { directory, reviewFile } = await prepareAdmission(around.folder, what, String(index));
      const ours: ServerKind = { kind: "ours", directory, delivery: what.delivery };
      const floor: ServerKind = { kind: "floor", patch: await patchOf(ours, reviewFile, around) };
      const turns = new Map<number, Turn[]>((index === 0 ? [1, 16, 64] : [16]).map((connections) => [connections, []]));
      for (let time = 0; time < STARTS; time++)
        await takeTurns([ours, floor, { kind: "bare" }], turns, { reviewFile, around });
      for (const [connections, taken] of turns) {
        rows.push({
          what: `${what.secrets} secrets, ${what.level}, ${what.delivery}`,
          connections,
          ...summarise(taken),
        });
      }
    }
    return rows;
  });
}

/** What was measured of each server, one right after the other. */
type Turn = readonly AdmissionLoadResult[];

/** Starts the servers and adds {@link ROUNDS} turns to each number of connections. */
async function takeTurns(
  kinds: readonly ServerKind[],
  turns: ReadonlyMap<number, Turn[]>,
  { reviewFile, around }: Pick<Measured, "reviewFile" | "around">,
): Promise<void> {
  const servers = await Promise.all(kinds.map((server) => start({ server, workers: 1, tls: around.tls })));
  const load = { reviewFile, ca: around.tls.cert };
  for (const { url } of servers) await loadAdmission({ ...load, url, connections: 16, seconds: WARM_UP_SECONDS });
  for (const [connections, taken] of turns) {
    for (let round = 0; round < ROUNDS; round++) {
      const turn: AdmissionLoadResult[] = [];
      for (const { url } of servers) turn.push(await loadAdmission({ ...load, url, connections, seconds: SECONDS }));
      taken.push(turn);
    }
  }
  for (const server of servers) server.close();
}

function summarise(turns: readonly Turn[]) {
  const of = (n: number, pick: (result: AdmissionLoadResult) => number) =>
    median(turns.map((turn) => pick(turn[n] ?? NOTHING)));
  const against = (n: number) =>
    median(turns.map((turn) => (turn[0] ?? NOTHING).perSecond / (turn[n] ?? NOTHING).perSecond));
  return {
    ours: Math.round(of(0, ({ perSecond }) => perSecond)),
    floor: Math.round(of(1, ({ perSecond }) => perSecond)),
    bare: Math.round(of(2, ({ perSecond }) => perSecond)),
    "ours/floor": against(1).toFixed(2),
    "ours/bare": against(2).toFixed(2),
    "p50 ms": of(0, ({ p50Ms }) => p50Ms).toFixed(2),
    "p99 ms": of(0, ({ p99Ms }) => p99Ms).toFixed(2),
    failed: turns.flat().reduce((sum, { failed }) => sum + failed, 0),
  };
}

/** The same without HTTP and TLS. */
export function benchAdmissionInProcess(): Promise<Row[]> {
  return inFolder(({ folder }) => measureInProcess(folder));
}

/** Two processes next to one, what the machine lets two of the floor handler do, and a new TLS connection for each request next to the bare server's. */
export async function benchAdmissionScale(): Promise<Row[]> {
  return inFolder(async (around) => {
    const { directory, reviewFile } = await prepareAdmission(
      around.folder,
      { secrets: 3, level: "project", delivery: "SecretRef" },
      "scale",
    );
    const ours: ServerKind = { kind: "ours", directory, delivery: "SecretRef" };
    const load = { reviewFile, connections: 16, around };
    const one = await measure({ server: ours, workers: 1 }, load);
    const two = await measure({ server: ours, workers: 2 }, load);
    const floor: ServerKind = { kind: "floor", patch: await patchOf(ours, reviewFile, around) };
    const oneFloor = await measure({ server: floor, workers: 1 }, load);
    const twoFloors = await measure({ server: floor, workers: 2 }, load);
    const fresh = { ...load, newConnections: true };
    const oursFresh = await measure({ server: ours, workers: 1 }, fresh);
    const bareFresh = await measure({ server: { kind: "bare" }, workers: 1 }, fresh);
    const row = (what: string, [measured, reference]: [AdmissionLoadResult, AdmissionLoadResult]): Row => ({
      what,
      measured: Math.round(measured.perSecond),
      reference: Math.round(reference.perSecond),
      ratio: ratio(measured.perSecond, reference.perSecond),
      failed: measured.failed + reference.failed,
    });
    return [
      row("two processes next to one", [two, one]),
      row("two processes of the floor handler next to one", [twoFloors, oneFloor]),
      row("new TLS connections next to the bare server's", [oursFresh, bareFresh]),
    ];
  });
}

/**
 * Resident memory after ten thousand admissions and after many more (BENCH_ADMISSIONS, a million by default), with the young
 * generation of V8's heap held to what the image gives it, and with Node's defaults.
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
      const server = await start(order, execArgv);
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
        ratio: ratio(late, early),
      });
    }
    return rows;
  });
}

async function inFolder<T>(use: (around: Surroundings) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  try {
    return await use({ folder, tls: await createCertificate() });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Measured {
  readonly reviewFile: string;
  readonly connections: number;
  readonly newConnections?: boolean;
  readonly around: Surroundings;
}

async function measure(order: Omit<ServerOrder, "tls">, { around, ...load }: Measured): Promise<AdmissionLoadResult> {
  const server = await start({ ...order, tls: around.tls });
  try {
    const target = { ...load, url: server.url, ca: around.tls.cert };
    await loadAdmission({ ...target, newConnections: false, seconds: WARM_UP_SECONDS });
    return await loadAdmission({ ...target, seconds: SECONDS });
  } finally {
    server.close();
  }
}

/** The patch that the webhook answers, for the floor handler to answer one of the same size. */
async function patchOf(server: ServerKind, reviewFile: string, { tls }: Surroundings): Promise<string> {
  const { url, close } = await start({ server, workers: 1, tls });
  const load: AdmissionLoad = { url, reviewFile, ca: tls.cert, connections: 1, seconds: 1 };
  const { text } = await postReview(load);
  close();
  const { response } = JSON.parse(text) as { response: { patch?: string } };
  if (response.patch === undefined) throw new Error(`the webhook did not change the pod: ${text}`);
  return response.patch;
}

interface RunningServer {
  readonly url: string;
  readonly pid: number;
  close(): void;
}

async function start(order: ServerOrder, execArgv: readonly string[] = []): Promise<RunningServer> {
  const script = join(import.meta.dirname, "admission-server.ts");
  const child = fork(script, { stdio: "inherit", execArgv: [...execArgv] });
  child.send(order);
  const port = await new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return { url: `https://127.0.0.1:${port}/mutate--v1-pod`, pid: child.pid ?? 0, close: () => child.disconnect() };
}
