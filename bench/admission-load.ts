// Puts load on an admission webhook at any address, the API server's way (HTTPS, HTTP/1.1, keep-alive):
//   node bench/admission-load.ts --url https://127.0.0.1:9443/mutate--v1-pod --review review.json --ca ca.crt
//        [--connections 16] [--seconds 5] [--new-connections]
// With --new-connections each request makes a TLS connection of its own.
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { type LoadResult, runH2load } from "./h2load.ts";

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
export async function loadAdmission(load: AdmissionLoad): Promise<LoadResult> {
  const first = await postReview(load);
  if (first.status !== 200) throw new Error(`${load.url} answered ${first.status}: ${first.text}`);
  const { connections, requests } = load.newConnections
    ? { connections: NEW_CONNECTIONS, requests: NEW_CONNECTIONS }
    : load;
  const { url, reviewFile, seconds } = load;
  const headers = { "content-type": "application/json" };
  const body = readFileSync(reviewFile);
  const started = performance.now();
  const result = await runH2load({ url, http: "1.1", headers, body, connections, seconds, requests });
  const wallSeconds = (performance.now() - started) / 1000;
  return load.newConnections ? { ...result, perSecond: result.answered / wallSeconds } : result;
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
