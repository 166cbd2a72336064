// Puts load on a SecretService at any address and prints what it answered:
//   node bench/rpc-load.ts --url http://127.0.0.1:8093 --protocol connect-json|connect|grpc --call get|create
//        [--connections 16] [--seconds 5] [--token TOKEN] [--name NAME]
// `get` asks for one secret again and again (it has to be there: --name); `create` makes a new one with each request.
import { connect as connectHttp2, constants } from "node:http2";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { create, type DescMessage, type MessageInitShape, toBinary, toJsonString } from "@bufbuild/protobuf";
import { CreateSecretRequestSchema, GetSecretRequestSchema } from "@flyte-secrets/idl";
import autocannon from "autocannon";

export type Protocol = "connect-json" | "connect" | "grpc";
export type Call = "get" | "create";

export interface Load {
  readonly url: string;
  readonly protocol: Protocol;
  readonly call: Call;
  readonly connections: number;
  readonly seconds: number;
  /** Sent as a bearer token; none when empty. */
  readonly token: string;
  /** The secret that `get` asks for, and the prefix of those that `create` makes. */
  readonly name: string;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than success, and requests without an answer. */
  readonly failed: number;
}

const METHODS: Record<Call, string> = {
  get: "/flyteidl2.secret.SecretService/GetSecret",
  create: "/flyteidl2.secret.SecretService/CreateSecret",
};

/** Keeps `connections` connections busy for `seconds`, one request at a time on each. */
export function putLoad(load: Load): Promise<LoadResult> {
  return load.protocol === "grpc" ? loadHttp2(load) : loadHttp1(load);
}

/**
 * Path, headers and body of one request, the way `load.protocol` writes it; `n` makes a created secret's name unique.
 */
export function buildRequest(load: Load, n: number) {
  const id = { name: load.call === "get" ? load.name : `${load.name}-${n}`, domain: "development", project: "bench" };
  const { json, binary } =
    load.call === "get"
      ? encode(GetSecretRequestSchema, { id })
      : encode(CreateSecretRequestSchema, {
          id,
          secretSpec: { value: { case: "stringValue", value: "bench-value-0123456789" } },
        });
  const headers: Record<string, string> = load.token === "" ? {} : { authorization: `Bearer ${load.token}` };
  const path = METHODS[load.call];
  switch (load.protocol) {
    case "connect-json":
      return {
        path,
        headers: { ...headers, "content-type": "application/json" },
        body: json,
      };
    case "connect":
      return {
        path,
        headers: { ...headers, "content-type": "application/proto" },
        body: binary,
      };
    case "grpc": {
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(binary.length, 1);
      return {
        path,
        headers: { ...headers, "content-type": "application/grpc+proto", te: "trailers" },
        body: Buffer.concat([prefix, binary]),
      };
    }
  }
}

function encode<D extends DescMessage>(schema: D, init: MessageInitShape<D>): { json: Buffer; binary: Buffer } {
  const message = create(schema, init);
  return { json: Buffer.from(toJsonString(schema, message)), binary: Buffer.from(toBinary(schema, message)) };
}

async function loadHttp1(load: Load): Promise<LoadResult> {
  let n = 0;
  const first = buildRequest(load, n);
  const result = await autocannon({
    url: load.url,
    connections: load.connections,
    duration: load.seconds,
    requests: [
      {
        method: "POST",
        path: first.path,
        headers: first.headers,
        body: first.body,
        ...(load.call === "create" && {
          setupRequest: (request: autocannon.Request) => ({ ...request, body: buildRequest(load, n++).body }),
        }),
      },
    ],
  });
  return {
    perSecond: result.requests.average,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failed: result.non2xx + result.errors + result.timeouts,
  };
}

async function loadHttp2(load: Load): Promise<LoadResult> {
  let n = 0;
  let failed = 0;
  const latenciesMs: number[] = [];
  const end = performance.now() + load.seconds * 1000;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: load.connections }, async () => {
      const session = connectHttp2(load.url);
      const fixed = buildRequest(load, 0);
      while (performance.now() < end) {
        const { path, headers, body } = load.call === "create" ? buildRequest(load, n++) : fixed;
        const from = performance.now();
        const stream = session.request({
          [constants.HTTP2_HEADER_METHOD]: "POST",
          [constants.HTTP2_HEADER_PATH]: path,
          ...headers,
        });
        let status: unknown;
        stream.on("trailers", (trailers) => {
          status = trailers["grpc-status"];
        });
        stream.end(body);
        stream.resume();
        await new Promise<void>((resolve, reject) => stream.once("close", resolve).once("error", reject));
        if (status === "0") latenciesMs.push(performance.now() - from);
        else failed++;
      }
      session.close();
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  latenciesMs.sort((a, b) => a - b);
  const at = (part: number) => latenciesMs[Math.floor(latenciesMs.length * part)] ?? Number.NaN;
  return { perSecond: latenciesMs.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), failed };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { values } = parseArgs({
    options: {
      url: { type: "string" },
      protocol: { type: "string", default: "connect-json" },
      call: { type: "string", default: "get" },
      connections: { type: "string", default: "16" },
      seconds: { type: "string", default: "5" },
      token: { type: "string", default: "" },
      name: { type: "string", default: "bench" },
    },
  });
  const protocol = (["connect-json", "connect", "grpc"] as const).find((known) => known === values.protocol);
  const call = (["get", "create"] as const).find((known) => known === values.call);
  if (values.url === undefined || protocol === undefined || call === undefined) {
    console.error("usage: node bench/rpc-load.ts --url URL --protocol connect-json|connect|grpc --call get|create");
    process.exit(2);
  }
  const connections = Number(values.connections);
  const seconds = Number(values.seconds);
  console.log(await putLoad({ ...values, url: values.url, protocol, call, connections, seconds }));
}
