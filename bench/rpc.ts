import { fork } from "node:child_process";
import { request as requestHttp1 } from "node:http";
import { connect as connectHttp2, constants } from "node:http2";
import { join } from "node:path";
import { startServe } from "@flyte-secrets/testkit";
import { buildRequest, type Call, type Load, type Protocol, putLoad } from "./rpc-load.ts";
import { type Row, ratio } from "./table.ts";

/** What the bare server is to answer. */
interface BareAnswer {
  readonly http2: boolean;
  readonly headers: Record<string, string>;
  /** Base64. */
  readonly body: string;
  readonly trailers: Record<string, string>;
}

const SECONDS = Number(process.env.BENCH_SECONDS ?? "4");
const PROTOCOLS: readonly Protocol[] = ["connect-json", "connect", "grpc"];
const CALLS: readonly Call[] = ["get", "create"];

/**
 * Calls a second of the service as users start it, against a bare Node server that answers the same bytes: for each
 * protocol, call and number of connections, one after the other in the same run.
 */
export async function benchRpc(): Promise<Row[]> {
  const serve = await startServe();
  const rows: Row[] = [];
  try {
    const common = { url: serve.endpoint, token: serve.token, seconds: SECONDS };
    await sendOnce({ ...common, protocol: "connect-json", call: "create", connections: 1, name: "target" });
    for (const call of CALLS) {
      for (const protocol of PROTOCOLS) {
        for (const connections of [1, 16]) {
          const name = call === "get" ? "target-0" : `c-${protocol}-${connections}`;
          const load: Load = { ...common, protocol, call, connections, name };
          const answer = await sendOnce({ ...load, name: call === "get" ? name : `${name}-first` });
          const ours = await putLoad(load);
          const bare = await startBare(answer);
          const reference = await putLoad({ ...load, url: bare.url });
          bare.close();
          rows.push({
            what: `${call}, ${protocol}`,
            connections,
            ours: Math.round(ours.perSecond),
            reference: Math.round(reference.perSecond),
            ratio: ratio(ours.perSecond, reference.perSecond),
            "p50 ms": ours.p50Ms.toFixed(2),
            "p99 ms": ours.p99Ms.toFixed(2),
            failed: ours.failed + reference.failed,
          });
        }
      }
    }
  } finally {
    await serve.close();
  }
  return rows;
}

/** Sends one request and keeps the answer's bytes for the bare server. */
async function sendOnce(load: Load): Promise<BareAnswer> {
  const { path, headers, body } = buildRequest(load, 0);
  const answer = load.protocol === "grpc" ? await sendHttp2(load.url) : await sendHttp1(`${load.url}${path}`);
  return answer;

  function sendHttp1(url: string): Promise<BareAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = requestHttp1(url, { method: "POST", headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.once("end", () => {
          if (response.statusCode !== 200) {
            reject(new Error(`the first ${load.call} failed: ${response.statusCode} ${Buffer.concat(chunks)}`));
            return;
          }
          const type = response.headers["content-type"] ?? "";
          const fixed = Buffer.concat(chunks);
          resolve({
            http2: false,
            headers: { "content-type": type, "content-length": String(fixed.length) },
            body: fixed.toString("base64"),
            trailers: {},
          });
        });
      });
      outgoing.once("error", reject);
      outgoing.end(body);
    });
  }

  async function sendHttp2(url: string): Promise<BareAnswer> {
    const session = connectHttp2(url);
    try {
      const stream = session.request({
        [constants.HTTP2_HEADER_METHOD]: "POST",
        [constants.HTTP2_HEADER_PATH]: path,
        ...headers,
      });
      const chunks: Buffer[] = [];
      let status: unknown;
      stream.on("data", (chunk) => chunks.push(chunk));
      stream.on("trailers", (trailers) => {
        status = trailers["grpc-status"];
      });
      stream.end(body);
      await new Promise<void>((resolve, reject) => stream.once("close", resolve).once("error", reject));
      if (status !== "0") throw new Error(`the first ${load.call} failed with grpc-status ${status}`);
      return {
        http2: true,
        headers: { "content-type": "application/grpc+proto" },
        body: Buffer.concat(chunks).toString("base64"),
        trailers: { "grpc-status": "0" },
      };
    } finally {
      session.close();
    }
  }
}

async function startBare(answer: BareAnswer): Promise<{ url: string; close(): void }> {
  const child = fork(join(import.meta.dirname, "bare-server.mjs"), { stdio: "inherit" });
  child.send(answer);
  const port = await new Promise((resolve) => child.once("message", resolve));
  return { url: `http://127.0.0.1:${port}`, close: () => child.disconnect() };
}
