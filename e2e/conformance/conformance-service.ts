import { setTimeout as sleep } from "node:timers/promises";
import type { DescMethod, DescMethodUnary, Message, Registry } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { type Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import type { UniversalHandlerOptions } from "@connectrpc/connect/protocol";

/** `connectrpc.conformance.v1.Header`. */
interface HeaderMessage {
  readonly name: string;
  readonly value: readonly string[];
}

/** `UnaryRequest` and `IdempotentUnaryRequest` of `connectrpc.conformance.v1`: what to answer. */
interface UnaryRequest extends Message {
  readonly responseDefinition?: {
    readonly responseHeaders: readonly HeaderMessage[];
    readonly responseTrailers: readonly HeaderMessage[];
    readonly responseDelayMs: number;
    readonly response:
      | { readonly case: "responseData"; readonly value: Uint8Array }
      | {
          readonly case: "error";
          readonly value: { readonly code: Code; readonly message?: string; readonly details: readonly Any[] };
        }
      | { readonly case: undefined };
  };
}

/**
 * Adds the unary methods of the suite's own service to a router: they answer as each request tells them to, and say
 * what they saw of the request.
 */
export function addConformanceService(
  router: ConnectRouter,
  registry: Registry,
  options: Partial<UniversalHandlerOptions>,
): void {
  const service = registry.getService("connectrpc.conformance.v1.ConformanceService");
  const requestInfo = registry.getMessage("connectrpc.conformance.v1.ConformancePayload.RequestInfo");
  if (service === undefined || requestInfo === undefined) throw new Error("the suite's descriptors lack its service");

  for (const method of [service.method.unary, service.method.idempotentUnary]) {
    if (!isUnary(method)) throw new Error("the suite's unary methods are not there");
    const answer = async (request: Message, context: HandlerContext) => {
      // The message is of a type that is read at run time, so nothing else can know its fields.
      const { responseDefinition: wanted } = request as UnaryRequest;
      const info = describeRequest(context, anyPack(method.input, request));
      addHeaders(context.responseHeader, wanted?.responseHeaders);
      addHeaders(context.responseTrailer, wanted?.responseTrailers);
      await sleep(wanted?.responseDelayMs ?? 0, undefined, { signal: context.signal });
      if (wanted?.response.case === "error") {
        const { code, message, details } = wanted.response.value;
        const error = new ConnectError(message ?? "", code, undefined, [{ desc: requestInfo, value: info }]);
        error.details.unshift(
          ...details.map(({ typeUrl, value }) => ({ type: typeUrl.split("/").at(-1) ?? "", value })),
        );
        throw error;
      }
      const data = wanted?.response.case === "responseData" ? wanted.response.value : new Uint8Array();
      return { payload: { data, requestInfo: info } };
    };
    router.rpc(method, answer, options);
  }
}

function isUnary(method: DescMethod | undefined): method is DescMethodUnary {
  return method?.methodKind === "unary";
}

function describeRequest(context: HandlerContext, request: Any) {
  const timeoutMs = context.timeoutMs();
  const query = context.requestMethod === "GET" ? [...new URL(context.url).searchParams] : [];
  return {
    requestHeaders: [...context.requestHeader].map(([name, value]) => ({ name, value: [value] })),
    requests: [request],
    ...(timeoutMs !== undefined && { timeoutMs: BigInt(Math.round(timeoutMs)) }),
    ...(query.length > 0 && {
      connectGetInfo: { queryParams: query.map(([name, value]) => ({ name, value: [value] })) },
    }),
  };
}

function addHeaders(headers: Headers, messages: readonly HeaderMessage[] = []): void {
  for (const { name, value } of messages) {
    for (const one of value) headers.append(name, one);
  }
}
