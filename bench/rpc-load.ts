// Puts load on a SecretService at any address and prints what it answered:
//   node bench/rpc-load.ts --url http://127.0.0.1:8093 --protocol connect-json|connect|grpc --call get|create
//        [--connections 16] [--seconds 5] [--token TOKEN] [--name NAME]
// `get` asks for one secret again and again (it has to be there: --name); `create` makes a new one with each request,
// over Connect alone.
import { connect } from "node:http2";
import { buffer } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { create, type DescMessage, type MessageInitShape, toBinary, toJsonString } from "@bufbuild/protobuf";
import { CreateSecretRequestSchema, GetSecretRequestSchema } from "@flyte-secrets/idl";
import { type LoadResult, runH2load } from "./h2load.ts";
import { postNewRequests } from "./new-requests-load.ts";

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

const METHODS: Record<Call, string> = {
  get: "/flyteidl2.secret.SecretService/GetSecret",
  create: "/flyteidl2.secret.SecretService/CreateSecret",
};

/** Keeps `connections` connections busy for `seconds`, one request at a time on each. */
export async function putLoad(load: Load): Promise<LoadResult> {
  const { connections, seconds } = load;
  const { path, headers, body } = buildRequest(load, 0);
  const url = load.url + path;
  if (load.call === "create") {
    if (load.protocol === "grpc") throw new Error("there is no load of creates over gRPC");
    return postNewRequests({ url, headers, body: (n) => buildRequest(load, n).body, connections, seconds });
  }
  const good = await sendOnce(load);
  const http = load.protocol === "grpc" ? "2" : "1.1";
  const result = await runH2load({ url, http, headers, body, connections, seconds });
  if (result.bodyBytes === undefined) {
    if (load.protocol === "grpc") throw new Error("h2load did not end: nobody can tell answers from errors");
    return result;
  }
  // An error has another body, and over gRPC nothing else that h2load sees. Each connection may end within an answer.
  const answers = result.bodyBytes / good.body.byteLength;
  const isGood = answers >= result.answered && answers <= result.answered + connections;
  return isGood ? result : { ...result, failed: result.failed + result.answered, answered: 0 };
}

/** A good answer as it was received. */
export interface Answer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Sends the first request of a load, and throws unless it succeeds. */
export async function sendOnce(load: Load): Promise<Answer> {
  const { path, headers, body } = buildRequest(load, 0);
  if (load.protocol !== "grpc") {
    const answer = await fetch(load.url + path, { method: "POST", headers, body });
    const received = Buffer.from(await answer.arrayBuffer());
    if (!answer.ok) throw new Error(`the first ${load.call} was answered ${answer.status} ${received}`);
    return { headers: { "content-type": answer.headers.get("content-type") ?? "" }, body: received };
  }
  const session = connect(load.url);
  try {
    const stream = session.request({ ":method": "POST", ":path": path, ...headers });
    let status: unknown;
    stream.on("trailers", (trailers) => {
      status = trailers["grpc-status"];
    });
    stream.end(body);
    const received = await buffer(stream);
    if (status !== "0") throw new Error(`the first ${load.call} was answered with grpc-status ${status}`);
    return { headers: { "content-type": "application/grpc+proto" }, body: received };
  } finally {
    session.close();
  }
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
