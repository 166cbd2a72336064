import { gzipSync } from "node:zlib";
import { create, fromJson, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { SecretService } from "@flyte-secrets/idl";

/** A request as it goes on the wire. */
export interface WireRequest {
  readonly http: "1.1" | "2";
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** In pieces; without a content-length unless the headers have one. */
  readonly body: readonly Uint8Array[];
}

/** The token that the servers under test ask for. */
export const TOKEN = "t0ken-of-the-comparison";

/** Names of which the first two exist before each request. */
export const NAMES = ["kept", "other", "absent", "", "UPPER_case", "unauthorized", "ü", "a/b", "x".repeat(300)];

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Random = () => number;

const methods = Object.values(SecretService.method);
type Method = (typeof methods)[number];

/** A request to the secret service, right or wrong in any of its parts: an RPC, a Connect GET or a call by REST. */
export function generateRequest(random: Random): WireRequest {
  const pick = <T>(...choices: readonly [T, ...T[]]): T => choices[Math.floor(random() * choices.length)] ?? choices[0];
  const rarely = <T>(usual: T, ...odd: readonly [T, ...T[]]): T => (random() < 0.93 ? usual : pick(...odd));

  const http = pick("1.1", "2");
  const method = pick(...(methods as [Method, ...Method[]]));
  if (random() < 0.15) return generateGet({ http, method, pick, rarely, random });
  if (random() < 0.2) return generateRest({ http, method, pick, rarely, random });
  const path = `/${SecretService.typeName}/${rarely(method.name, "NoSuchCall", `${method.name}?x=1`)}`;
  const type = rarely(
    pick("application/json", "application/proto", "application/grpc", "application/grpc-web+proto"),
    "application/json; charset=utf-8",
    "APPLICATION/JSON",
    "application/json;charset=latin1",
    "application/grpc+proto",
    "application/grpc+json",
    "application/grpc-web",
    "application/grpc-web+json",
    "application/grpc-web-text",
    "application/connect+json",
    "text/plain",
    "",
  );
  const isEnveloped = type.startsWith("application/grpc");
  const isJson = /json/i.test(type);

  let message = mangle(encodeMessage(method, generateMessage(method, pick, random), isJson), { pick, random });
  const encoding = rarely(pick("", "gzip"), "identity", "br", "GZIP");
  const isGzipped = rarely(encoding === "gzip", encoding !== "gzip");
  if (isGzipped) message = rarely(gzipSync(message), gzipSync(message).subarray(0, 12), message);
  const body = isEnveloped ? envelop(message, { isGzipped, pick, rarely }) : message;

  const headers: Record<string, string | string[]> = {};
  const set = (name: string, value: string | string[]) => {
    if (value !== "") headers[name] = value;
  };
  set("content-type", type);
  set(isEnveloped ? "grpc-encoding" : "content-encoding", encoding);
  const accepted = pick("", "gzip", "gzip,identity", "br, gzip", "identity");
  set(isEnveloped ? "grpc-accept-encoding" : "accept-encoding", accepted);
  if (isEnveloped) set("grpc-timeout", rarely(pick("", "10S", "20000m"), "0S", "99999999H", "1.5S", "S"));
  else set("connect-timeout-ms", rarely(pick("", "20000"), "0", "9999999999", "12345678901", "-1", "1e3"));
  if (isEnveloped) set("te", rarely("trailers", ""));
  else set("connect-protocol-version", rarely(pick("", "1"), "2"));
  set("authorization", rarely(`Bearer ${TOKEN}`, `bearer   ${TOKEN}`, "Bearer wrong", TOKEN, ""));
  set("proxy-authorization", rarely("", `Bearer ${TOKEN}`, "Bearer wrong"));
  set("x-forwarded-for", rarely<string | string[]>("", ["10.0.0.1", "10.0.0.2"]));
  set(http === "2" ? ":authority" : "host", rarely("localhost:8093", "a..b", "[::1", "999.1.1.1", "a b"));
  if (http === "1.1") set("expect", rarely("", rarely("", "100-continue")));
  // Over HTTP/2 it may be another length than that of the body; over HTTP/1.1 the next request would begin elsewhere.
  const promised = String(body.byteLength + (http === "2" ? rarely(0, rarely(0, 1, -1)) : 0));
  if (random() < 0.6) set("content-length", promised);

  const cut = Math.floor(random() * body.byteLength);
  return {
    http,
    method: rarely("POST", rarely("POST", "GET", "PUT", "OPTIONS")),
    path,
    headers,
    body: random() < 0.7 ? [body] : [body.subarray(0, cut), body.subarray(cut)],
  };
}

interface QueryParts {
  readonly http: "1.1" | "2";
  readonly method: Method;
  readonly pick: Pick;
  readonly rarely: Rarely;
  readonly random: Random;
}

/** A Connect GET, whose message is in the query. */
function generateGet({ http, method, pick, rarely, random }: QueryParts): WireRequest {
  const isJson = pick(true, false);
  let message = mangle(encodeMessage(method, generateMessage(method, pick, random), isJson), { pick, random });
  if (message.byteLength > 4_000) message = message.subarray(0, 4_000);
  const compression = rarely(pick("", "gzip"), "identity", "br");
  if (rarely(compression === "gzip", compression !== "gzip")) message = gzipSync(message);
  const alphabet = pick("base64url", "base64");
  const isBase64 = rarely(!isJson || compression === "gzip" || pick(true, false), pick(true, false));
  const bytes = Buffer.from(message);
  const text = isBase64
    ? rarely(encodeURIComponent(bytes.toString(alphabet)), bytes.toString(alphabet), "%ff")
    : encodeURIComponent(bytes.toString());
  const parameters = [
    rarely("connect=v1", "connect=v2", ""),
    `encoding=${rarely(isJson ? "json" : "proto", "xml", "")}`,
    compression && `compression=${compression}`,
    isBase64 ? rarely("base64=1", "base64=0", "") : "",
    rarely(`message=${text}`, "", `message=${text}&message=e30`),
    rarely("", "future=1", "future=%ff"),
  ];
  const query = parameters.filter((each) => each !== "").join("&");
  const path = `/${SecretService.typeName}/${method.name}?${query}`;
  return withoutBody({ http, method: "GET", path, headers: queryHeaders({ http, pick, rarely }), body: [] }, rarely);
}

/** A call by REST, in the form of the HTTP annotations of Flyte's IDL. */
function generateRest({ http, method, pick, rarely, random }: QueryParts): WireRequest {
  const message = generateMessage(method, pick, random);
  const { id } = message;
  const name = isJsonObject(id) ? String(id.name) : "kept";
  const isMember = rarely(!/^(Create|List)/.test(method.name), pick(true, false));
  const path = `/secrets/api/v1${isMember ? `/name/${rarely(encodeURIComponent(name), "a%2", "a%2Fb", "")}` : ""}`;
  const usual = /^Create/.test(method.name)
    ? "POST"
    : /^Update/.test(method.name)
      ? "PUT"
      : pick("GET", "GET", "DELETE");
  const httpMethod = rarely(usual, "PATCH", "POST", "PUT", "GET");
  const headers = queryHeaders({ http, pick, rarely });
  if (httpMethod === "GET" || httpMethod === "DELETE") {
    const parameters = [
      ...queryOf(message),
      ...rarely([], ["limit=x"], ["id.domain=development", "id.domain=p"], ["future=%ff"]),
    ];
    const query = parameters.join("&");
    return withoutBody({ http, method: httpMethod, path: `${path}?${query}`, headers, body: [] }, rarely);
  }
  const body = mangle(encodeMessage(method, message, true), { pick, random });
  const type = rarely("application/json", "application/proto", "application/grpc", "text/plain", "");
  const encoding = rarely("", "gzip");
  if (type !== "") headers["content-type"] = type;
  if (encoding !== "") headers["content-encoding"] = encoding;
  return { http, method: httpMethod, path, headers, body: [rarely(encoding === "gzip" ? gzipSync(body) : body, body)] };
}

/** Rarely with a body nevertheless; one that no header announces would be another request over HTTP/1.1. */
function withoutBody(request: WireRequest, rarely: Rarely): WireRequest {
  const odd = { ...request, headers: { ...request.headers, "content-length": "2" }, body: [Buffer.from("{}")] };
  return rarely(request, odd);
}

/** A message as query parameters. */
function queryOf(message: JsonObject, prefix = ""): string[] {
  return Object.entries(message).flatMap(([name, value]) =>
    isJsonObject(value)
      ? queryOf(value, `${prefix}${name}.`)
      : [`${prefix}${name}=${encodeURIComponent(String(value)).slice(0, 500)}`],
  );
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function queryHeaders({
  http,
  pick,
  rarely,
}: Omit<QueryParts, "method" | "random">): Record<string, string | string[]> {
  const all = {
    authorization: rarely(`Bearer ${TOKEN}`, "Bearer wrong", ""),
    [http === "2" ? ":authority" : "host"]: rarely("localhost:8093", "a..b", "[::1"),
    "accept-encoding": pick("", "gzip", "br, gzip"),
    "connect-timeout-ms": rarely(pick("", "20000"), "0", "1e3"),
    expect: http === "1.1" ? rarely("", rarely("", "100-continue")) : "",
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

type Rarely = <T>(usual: T, ...odd: readonly [T, ...T[]]) => T;

type Pick = <T>(...choices: readonly [T, ...T[]]) => T;

function generateMessage({ name }: Method, pick: Pick, random: Random): JsonObject {
  const id = pick<JsonObject>(
    { name: pick(...(NAMES as [string, ...string[]])) },
    { name: pick("kept", "other", "absent"), domain: "development", project: "p" },
    { name: "kept", domain: pick("development", "Bad Domain"), organization: "my-host" },
  );
  const value = pick(0, 1, 60, 2_000, random() < 0.02 ? 1_100_000 : 40_000);
  const secretSpec = pick<JsonObject>(
    { stringValue: "v".repeat(value) },
    { binaryValue: Buffer.alloc(value, 0xfe).toString("base64"), type: "SECRET_TYPE_GENERIC" },
    { stringValue: '{"auths":{}}', type: "SECRET_TYPE_IMAGE_PULL_SECRET" },
    {},
  );
  switch (name) {
    case "CreateSecret":
    case "UpdateSecret":
      return pick<JsonObject>({ id, secretSpec }, { id, secretSpec }, { secretSpec }, { id });
    case "ListSecrets":
      return {
        domain: pick("", "development", "Bad Domain"),
        project: pick("", "p"),
        limit: pick(0, 1, 1, 500, -1, 2 ** 31 - 1),
        token: pick("", "", "no token of ours"),
        includeSystemSecrets: pick(true, false),
      };
    default:
      return pick<JsonObject>({ id }, { id, includeSystemSecrets: true }, {});
  }
}

function encodeMessage({ input }: Method, message: JsonObject, isJson: boolean): Uint8Array {
  if (isJson) return Buffer.from(JSON.stringify(message));
  return toBinary(input, Object.keys(message).length === 0 ? create(input) : fromJson(input, message));
}

/** One message in eight is something else than it was. */
function mangle(message: Uint8Array, { pick, random }: { readonly pick: Pick; readonly random: Random }): Uint8Array {
  if (random() > 0.125) return message;
  const at = Math.floor(random() * message.byteLength);
  const changed = Uint8Array.from(message);
  changed[at] = Math.floor(random() * 256);
  return pick<Uint8Array>(
    changed,
    message.subarray(0, at),
    new Uint8Array(),
    Buffer.concat([message, message]),
    Buffer.from('{"id":{"name":"kept","name":"other"}}'),
    Buffer.from('{"future":{"a":[1,2,3]},"id":{"name":"kept","future":1}}'),
    Buffer.from('{"id":"kept"}'),
    Buffer.from('{"secretSpec":{"type":"SECRET_TYPE_NEW","stringValue":"v"},"id":{"name":"absent"}}'),
    Buffer.from(`{"a":${"[".repeat(40)}${"]".repeat(40)}}`),
    Buffer.from("x".repeat(70_000)),
    Buffer.from(`{"id":{"name":"kept"},"future":"${"x".repeat(70_000)}"}`),
    Buffer.from([0x0a, 0x03, 0x12, 0x01, 0xff]),
  );
}

interface EnvelopeParts {
  readonly isGzipped: boolean;
  readonly pick: Pick;
  readonly rarely: Rarely;
}

function envelop(message: Uint8Array, { isGzipped, pick, rarely }: EnvelopeParts): Uint8Array {
  const head = Buffer.alloc(5);
  head[0] = rarely(isGzipped ? 1 : 0, rarely(0, 1, 2, 0x80));
  head.writeUInt32BE(Math.max(0, message.byteLength + rarely(0, rarely(0, 1, -1, 5_000_000))), 1);
  const one = Buffer.concat([head, message]);
  return rarely(one, rarely(one, pick(Buffer.concat([one, one]), Buffer.alloc(0), one.subarray(0, 3))));
}
