import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

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

/** A load of h2load, and the bytes that the bodies of its answers had together, unfinished ones too. */
export interface H2loadResult extends LoadResult {
  readonly bodyBytes: number;
}

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
    const { stdout } = await promisify(execFile)("h2load", [
      ...(load.http === "1.1" ? ["--h1"] : []),
      ...(load.requests === undefined ? ["-D", String(load.seconds)] : ["-n", String(load.requests)]),
      ...["-c", String(load.connections), "-m", "1", `--log-file=${log}`],
      ...(load.body === undefined ? [] : ["-d", body]),
      ...Object.entries(load.headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
      load.url,
    ]);
    return { ...readLog(readFileSync(log, "utf8")), bodyBytes: bodyBytesOf(stdout) };
  } finally {
    rmSync(folder, { recursive: true });
  }
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

function bodyBytesOf(report: string): number {
  return Number(/^traffic: .*\((\d+)\) data$/m.exec(report)?.[1]);
}
