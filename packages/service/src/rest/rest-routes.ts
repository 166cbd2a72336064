import { create, type DescMethod, isMessage, type Message } from "@bufbuild/protobuf";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { SecretIdentifierSchema, SecretService, UpdateSecretRequestSchema } from "@flyte-secrets/idl";
import { readQuery } from "./read-query.ts";

const COLLECTION = "/secrets/api/v1";
const MEMBER = `${COLLECTION}/name/`;
const { createSecret, updateSecret, getSecret, deleteSecret, listSecrets } = SecretService.method;

/** The RPC that a path of the HTTP annotations in Flyte's IDL stands for. */
export interface RestRoute {
  /** The HTTP methods of this path. */
  readonly allowed: readonly string[];
  /** The path of the RPC that answers; undefined when this path doesn't take the request's HTTP method. */
  readonly rpcPath: string | undefined;
  /** The secret's name in the path. A malformed one is passed on unchanged, to be rejected. */
  readonly pathName: string | undefined;
  /** The message that the query of a request without a body stands for, as JSON; undefined where there is a body. */
  readonly queryToJson: ((query: URLSearchParams) => Uint8Array) | undefined;
  /** Converts the request to one that the RPC's handler accepts. */
  readonly transform: (request: UniversalServerRequest) => UniversalServerRequest;
}

/** The route of a request; undefined when its path is not a REST path. */
export function findRestRoute(path: string, httpMethod = ""): RestRoute | undefined {
  if (path === COLLECTION) return toRoute({ POST: createSecret, GET: listSecrets }, httpMethod, undefined);
  const name = path.startsWith(MEMBER) ? path.slice(MEMBER.length) : "";
  if (name === "" || name.includes("/")) return undefined;
  return toRoute({ PUT: updateSecret, GET: getSecret, DELETE: deleteSecret }, httpMethod, decodeName(name));
}

function toRoute(
  methods: Readonly<Record<string, DescMethod>>,
  httpMethod: string,
  pathName: string | undefined,
): RestRoute {
  const method = methods[httpMethod];
  const isBodiless = httpMethod === "GET" || httpMethod === "DELETE";
  const queryToJson = method && isBodiless ? (query: URLSearchParams) => toJson(method, query, pathName) : undefined;
  return {
    allowed: Object.keys(methods),
    rpcPath: method && `/${method.parent.typeName}/${method.name}`,
    pathName,
    queryToJson,
    transform: (request) => toConnectRequest(request, queryToJson),
  };
}

function toJson({ input }: DescMethod, query: URLSearchParams, pathName: string | undefined): Uint8Array {
  if (pathName !== undefined) query.set("id.name", pathName);
  return new TextEncoder().encode(JSON.stringify(readQuery(input, query)));
}

/**
 * The request in the form that the Connect handler of the same RPC accepts, a POST of JSON, so that both have the same
 * checks and errors. The body of POST and PUT is the message; its content type is required, because a web page could
 * send it without one. For GET and DELETE the message is made of the query, with the name from the path.
 */
function toConnectRequest(
  request: UniversalServerRequest,
  queryToJson: RestRoute["queryToJson"],
): UniversalServerRequest {
  const header = new Headers(request.header);
  if (queryToJson === undefined) return { ...request, method: "POST", header };
  header.delete("content-length");
  header.delete("content-encoding");
  header.set("content-type", "application/json");
  return { ...request, method: "POST", header, body: queryBody(request.url, queryToJson) };
}

/** Made when the handler reads the body, after the credentials were checked. */
async function* queryBody(
  url: string,
  queryToJson: (query: URLSearchParams) => Uint8Array,
): AsyncGenerator<Uint8Array> {
  yield queryToJson(new URL(url).searchParams);
}

/** Replaces the name in a message by the one in a REST path. A message that was made of a query has it already. */
export function withPathName<T extends Message>(message: T, name: string | undefined): T {
  if (name === undefined || !isMessage(message, UpdateSecretRequestSchema)) return message;
  return { ...message, id: { ...(message.id ?? create(SecretIdentifierSchema)), name } };
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
