// Puts load on an admission webhook at any address, the API server's way (HTTPS, HTTP/1.1, keep-alive):
//   node bench/admission-load.ts --url https://127.0.0.1:9443/mutate--v1-pod --review review.json --ca ca.crt
//        [--connections 16] [--seconds 5] [--new-connections]
// The load comes from h2load (Debian: nghttp2-client), a C program, so that on two cores the driver is not what is
// measured. With
// --new-connections each request makes a TLS connection of its own.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs, promisify } from "node:util";

export interface AdmissionLoad {
  readonly url: string;
  /** File with the AdmissionReview to send. */
  readonly reviewFile: string;
  /** PEM of the CA that the first request checks the server's certificate against. */
  readonly ca: string;
  readonly connections: number;
  /** At least one: h2load may never end a load that is shorter. */
  readonly seconds: number;
  /** So many, instead of so long. */
  readonly requests?: number;
  readonly newConnections?: boolean;
}

export interface AdmissionLoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests without a 2xx answer. */
  readonly failed: number;
}

/**
 * Requests a connection with `newConnections`: h2load has no endless reconnecting, so it makes so many of one request
 * each.
 */
const NEW_CONNECTIONS = 400;

/** The answer to the review, as it is: to see that the load is on what it is meant for. */
export function postReview({ url, reviewFile, ca }: AdmissionLoad): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: "POST", ca, headers: { "content-type": "application/json" } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk) => {
        text += chunk;
      });
      answer.once("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    outgoing.once("error", reject);
    outgoing.end(readFileSync(reviewFile));
  });
}

/** Keeps the connections busy, one request at a time on each; throws unless the first answer is a 200. */
export async function loadAdmission(load: AdmissionLoad): Promise<AdmissionLoadResult> {
  const first = await postReview(load);
  if (first.status !== 200) throw new Error(`${load.url} answered ${first.status}: ${first.text}`);
  const folder = mkdtempSync(join(tmpdir(), "admission-load-"));
  try {
    const log = join(folder, "requests.tsv");
    const { connections, requests } = load.newConnections
      ? { connections: NEW_CONNECTIONS, requests: NEW_CONNECTIONS }
      : load;
    const amount = requests === undefined ? ["-D", String(load.seconds)] : ["-n", String(requests)];
    const args = [
      "--h1",
      ...amount,
      "-c",
      String(connections),
      "-m",
      "1",
      "-d",
      load.reviewFile,
      "-H",
      "content-type: application/json",
    ];
    const started = performance.now();
    await promisify(execFile)("h2load", [...args, `--log-file=${log}`, load.url]);
    const wallSeconds = (performance.now() - started) / 1000;
    const { durationsUs, failed, seconds } = readLog(readFileSync(log, "utf8"));
    const at = (part: number) => (durationsUs[Math.floor(durationsUs.length * part)] ?? Number.NaN) / 1000;
    const perSecond = durationsUs.length / (load.newConnections ? wallSeconds : seconds);
    return { perSecond, p50Ms: at(0.5), p99Ms: at(0.99), failed };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Lines of h2load's log: start in µs, status, duration in µs. */
function readLog(log: string): { durationsUs: readonly number[]; failed: number; seconds: number } {
  const durationsUs: number[] = [];
  let failed = 0;
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  for (const line of log.split("\n")) {
    const [start, status, us] = line.split("\t");
    if (status?.startsWith("2")) durationsUs.push(Number(us));
    else if (status !== undefined) failed++;
    if (status === undefined) continue;
    first = Math.min(first, Number(start));
    last = Math.max(last, Number(start) + Number(us));
  }
  return { durationsUs: durationsUs.sort((a, b) => a - b), failed, seconds: (last - first) / 1e6 };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { values } = parseArgs({
    options: {
      url: { type: "string" },
      review: { type: "string" },
      ca: { type: "string" },
      connections: { type: "string", default: "16" },
      seconds: { type: "string", default: "5" },
      "new-connections": { type: "boolean", default: false },
    },
  });
  if (values.url === undefined || values.review === undefined || values.ca === undefined) {
    console.error(
      "usage: node bench/admission-load.ts --url URL --review FILE --ca FILE [--connections N] [--seconds N]",
    );
    process.exit(2);
  }
  console.log(
    await loadAdmission({
      url: values.url,
      reviewFile: values.review,
      ca: readFileSync(values.ca, "utf8"),
      connections: Number(values.connections),
      seconds: Number(values.seconds),
      newConnections: values["new-connections"],
    }),
  );
}
