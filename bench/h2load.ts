import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Requirement } from "../e2e/support/requirement.ts";

/** The same request again and again, on connections that each have one in flight. */
export interface RepeatedRequest {
  readonly url: string;
  readonly http: "1.1" | "2";
  readonly headers: Readonly<Record<string, string>>;
  /** Sent by POST. Default: none, and GET. */
  readonly body?: Uint8Array | undefined;
  readonly connections: number;
  /** At least one: h2load may never end a load that is shorter. */
  readonly seconds: number;
  /** So many, instead of so long. */
  readonly requests?: number | undefined;
  /**
   * Requests begun a second by all connections together, whether or not the server keeps up: each connection still has
   * one in flight, so that there must be as many as are to wait. Default: each begins when the last has been answered.
   */
  readonly perSecond?: number | undefined;
  /** In which connections are made and already send requests, which do not count. Default: 0. */
  readonly warmUpSeconds?: number | undefined;
}

/** What a load was answered. */
export interface LoadResult {
  readonly perSecond: number;
  readonly answered: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests without a 2xx answer. */
  readonly failed: number;
}

/**
 * A load of h2load, and the bytes that the bodies of its answers had together, unfinished ones too: undefined when it had
 * to be ended.
 */
export interface H2loadResult extends LoadResult {
  readonly bodyBytes: number | undefined;
}

/**
 * A connection that is made after the end of a load, as on a busy machine, keeps h2load waiting for ever. It is ended
 * after this, and its log has all that was answered.
 */
const GRACE_SECONDS = 10;

/**
 * Puts load on a server with h2load (Debian: nghttp2-client), a C program that takes less time than any server in Node,
 * so that on two cores the driver is not what is measured. Certificates are not verified.
 */
export async function runH2load(load: RepeatedRequest): Promise<H2loadResult> {
  const folder = mkdtempSync(join(tmpdir(), "flyte-secrets-load-"));
  try {
    const log = join(folder, "requests.tsv");
    const body = join(folder, "body");
    if (load.body !== undefined) writeFileSync(body, load.body);
    const args = [
      ...(load.http === "1.1" ? ["--h1"] : []),
      ...(load.requests === undefined ? ["-D", String(load.seconds)] : ["-n", String(load.requests)]),
      ...["-c", String(load.connections), "-m", "1", `--log-file=${log}`],
      ...(load.perSecond === undefined ? [] : [`--rps=${load.perSecond / load.connections}`]),
      ...(load.warmUpSeconds === undefined ? [] : [`--warm-up-time=${load.warmUpSeconds}`]),
      ...(load.body === undefined ? [] : ["-d", body]),
      ...Object.entries(load.headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
      load.url,
    ];
    const timeout = load.requests === undefined ? (load.seconds + (load.warmUpSeconds ?? 0) + GRACE_SECONDS) * 1000 : 0;
    const report = await promisify(execFile)("h2load", args, { timeout }).then(
      ({ stdout }) => stdout,
      (error) => {
        if (error.killed) return "";
        throw error;
      },
    );
    return { ...readLog(readFileSync(log, "utf8")), bodyBytes: bodyBytesOf(report) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The program that {@link runH2load} runs. */
export function requireH2load(): Requirement {
  const isThere = spawnSync("h2load", ["--version"]).status === 0;
  return isThere ? { missing: false } : { missing: true, what: "h2load", enable: "apt-get install nghttp2-client" };
}

/** Rate and times of requests, whose durations are in any order. */
export function summarize(durationsUs: number[], failed: number, seconds: number): LoadResult {
  durationsUs.sort((a, b) => a - b);
  const at = (part: number) => (durationsUs[Math.floor(durationsUs.length * part)] ?? Number.NaN) / 1000;
  const answered = durationsUs.length;
  return { perSecond: answered / seconds, answered, p50Ms: at(0.5), p99Ms: at(0.99), failed };
}

/** Lines of h2load's log: start in µs, status, duration in µs. */
function readLog(log: string): LoadResult {
  const durationsUs: number[] = [];
  let failed = 0;
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  for (const line of log.split("\n")) {
    const [start, status, us] = line.split("\t");
    if (status === undefined) continue;
    if (status.startsWith("2")) durationsUs.push(Number(us));
    else failed++;
    first = Math.min(first, Number(start));
    last = Math.max(last, Number(start) + Number(us));
  }
  return summarize(durationsUs, failed, (last - first) / 1e6);
}

function bodyBytesOf(report: string): number | undefined {
  const bytes = /^traffic: .*\((\d+)\) data$/m.exec(report)?.[1];
  return bytes === undefined ? undefined : Number(bytes);
}
