import type { DescMethod } from "@bufbuild/protobuf";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { SecretService } from "@flyte-secrets/idl";
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
  return {
    allowed: Object.keys(methods),
    rpcPath: method && `/${method.parent.typeName}/${method.name}`,
    pathName,
    transform: (request) => (method ? toConnectRequest(request, method, pathName) : request),
  };
}

/**
 * The request in the form that the Connect handler of the same RPC accepts, a POST of JSON, so that both have the same
 * checks and errors. The body of POST and PUT is the message; its content type is required, because a web page could
 * send it without one. For GET and DELETE the message is made of the query, with the name from the path.
 */
function toConnectRequest(
  request: UniversalServerRequest,
  method: DescMethod,
  pathName: string | undefined,
): UniversalServerRequest {
  const header = new Headers(request.header);
  if (request.method === "POST" || request.method === "PUT") return { ...request, method: "POST", header };
  header.delete("content-length");
  header.delete("content-encoding");
  header.set("content-type", "application/json");
  const query = new URL(request.url).searchParams;
  if (pathName !== undefined) query.set("id.name", pathName);
  return { ...request, method: "POST", header, body: queryBody(method, query) };
}

/** Made when the handler reads the body, after the credentials were checked. */
async function* queryBody(method: DescMethod, query: URLSearchParams): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(JSON.stringify(readQuery(method.input, query)));
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
