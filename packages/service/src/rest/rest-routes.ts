import type { DescMethod } from "@bufbuild/protobuf";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { SecretService } from "@flyte-secrets/idl";
import { readQuery } from "./read-query.ts";

const COLLECTION = "/secrets/api/v1";
const MEMBER = `${COLLECTION}/name/`;
const { createSecret, updateSecret, getSecret, deleteSecret, listSecrets } = SecretService.method;

/** What a path of the HTTP annotations in Flyte's IDL stands for. */
export interface RestRoute {
  /** The HTTP methods of this path. */
  readonly allowed: readonly string[];
  /** The path of the RPC that answers; undefined when this path doesn't take the request's HTTP method. */
  readonly rpcPath: string | undefined;
  /** The secret's name in the path. One that is not well-formed is passed on as it is, to be refused. */
  readonly pathName: string | undefined;
  /** Makes the request one that the RPC's handler takes. */
  readonly transform: (request: UniversalServerRequest) => UniversalServerRequest;
}

/** The route of a request, or undefined when its path is none. */
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
 * The request as the Connect handler of the same RPC takes it, so that both have the same checks and errors: a POST of JSON.
 * POST and PUT carry the message as their body, whose content type has to say so: without one a web page could send it; for GET and DELETE it is made of the query, with the name from the path.
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

/** Made when the handler asks for the body: after it has looked at the credentials. */
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
