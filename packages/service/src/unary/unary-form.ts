import { compressionNegotiate } from "@connectrpc/connect/protocol";
import * as connect from "@connectrpc/connect/protocol-connect";
import * as grpc from "@connectrpc/connect/protocol-grpc";
import * as grpcWeb from "@connectrpc/connect/protocol-grpc-web";
import { compressionGzip } from "@connectrpc/connect-node";
import type { NodeRequest } from "@flyte-secrets/http";
import type { RestRoute } from "../rest/rest-routes.ts";
import { MAX_TIMEOUT_MS, requestAuthority } from "../rpc/serve-rpc.ts";
import type { UnaryCall } from "./unary-call.ts";
import { hasBody, toConnectQuery, toRestQuery, type UnaryQuery } from "./unary-query.ts";

/** How a request and its answer are written. */
export interface UnaryForm {
  readonly protocol: "connect" | "grpc" | "grpc-web";
  /** Whether messages are protobuf's binary form; JSON otherwise. */
  readonly binary: boolean;
  /** The content type of an answer that succeeds. */
  readonly contentType: string;
  /** Whether the request is gzipped, or over gRPC may be. */
  readonly gzipped: boolean;
  /** Whether large answers are gzipped. */
  readonly gzips: boolean;
  /** Where the message is, if it is not in a body. */
  readonly query: UnaryQuery | undefined;
  /** The time that the caller gives the call. */
  readonly timeoutMs: number | undefined;
}

/**
 * The form of a request that is as clients send it; undefined for every other one, whose answer is left to the Connect
 * library. What a header means is decided by the library's own functions.
 */
export function recognizeUnary(
  req: NodeRequest,
  { isIdempotent }: UnaryCall,
  rest: RestRoute | undefined,
): UnaryForm | undefined {
  const { headers } = req;
  if (headers.expect !== undefined || !URL.canParse(req.url ?? "", `http://${requestAuthority(req)}`)) return undefined;
  const hasQuery = rest ? rest.queryToJson !== undefined : req.method === "GET" && isIdempotent;
  if (hasQuery ? hasBody(req) : req.method !== "POST" && !rest) return undefined;
  const query = rest?.queryToJson ? toRestQuery(req, rest.queryToJson) : hasQuery ? toConnectQuery(req) : undefined;
  const type = hasQuery ? query && toConnectType(query.binary) : findType(headers["content-type"] ?? "");
  if (type === undefined) return undefined;
  const isConnect = type.protocol === "connect";
  // Over HTTP/1.1 there are hardly any trailers.
  if (rest ? !isConnect : type.protocol === "grpc" && req.httpVersionMajor === 1) return undefined;
  const names = isConnect ? CONNECT_HEADERS : GRPC_HEADERS;
  const compression = compressionNegotiate(
    [compressionGzip],
    query ? query.encoding : headerOf(req, names.encoding),
    headerOf(req, names.acceptEncoding),
    names.acceptEncoding,
  );
  const timeout = (isConnect ? connect : grpc).parseTimeout(headerOf(req, names.timeout), Number.MAX_SAFE_INTEGER);
  if (compression.error || timeout.error || timeout.timeoutMs === 0) return undefined;
  return {
    ...type,
    query,
    gzipped: compression.request !== null,
    gzips: compression.response !== null,
    timeoutMs: timeout.timeoutMs && Math.min(timeout.timeoutMs, MAX_TIMEOUT_MS),
  };
}

/** A header as the library's `Headers` have it. */
export function headerOf({ headers }: NodeRequest, name: string): string | null {
  const value = headers[name];
  return typeof value === "string" ? value : (value?.join(", ") ?? null);
}

const CONNECT_HEADERS = {
  encoding: "content-encoding",
  acceptEncoding: "accept-encoding",
  timeout: "connect-timeout-ms",
};

const GRPC_HEADERS = { encoding: "grpc-encoding", acceptEncoding: "grpc-accept-encoding", timeout: "grpc-timeout" };

type FormType = Pick<UnaryForm, "protocol" | "binary" | "contentType">;

function toConnectType(binary: boolean): FormType {
  return { protocol: "connect", binary, contentType: binary ? "application/proto" : "application/json" };
}

function findType(contentType: string): FormType | undefined {
  const unary = connect.parseContentType(contentType);
  if (unary !== undefined) {
    return unary.stream ? undefined : toConnectType(unary.binary);
  }
  const plain = grpc.parseContentType(contentType);
  if (plain !== undefined) {
    const { binary } = plain;
    return { protocol: "grpc", binary, contentType: binary ? grpc.contentTypeProto : grpc.contentTypeJson };
  }
  const web = grpcWeb.parseContentType(contentType);
  if (web === undefined || web.text) return undefined;
  const { binary } = web;
  return { protocol: "grpc-web", binary, contentType: binary ? grpcWeb.contentTypeProto : grpcWeb.contentTypeJson };
}
