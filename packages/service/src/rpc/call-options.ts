import { clone, create, type DescMessage, isMessage } from "@bufbuild/protobuf";
import type { ConnectRouterOptions, HandlerContext, Interceptor } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import { SecretIdentifierSchema, UpdateSecretRequestSchema } from "@flyte-secrets/idl";
import type { Logger } from "pino";
import type { Authentication } from "../auth/authentication.ts";
import { checkGetQuery } from "../rest/check-get-query.ts";
import { createJsonDecoder } from "../rest/request-json.ts";
import { findCall } from "./call.ts";
import { sanitizeErrors } from "./sanitize-errors.ts";
import { toConnectError } from "./to-connect-error.ts";

export interface CallParts {
  readonly log: Logger;
  readonly authorise: Authentication["authorise"];
  /** Largest request message, compressed or not. */
  readonly readMaxBytes: number;
  /** What requests are checked against beyond what Connect does, see {@link createJsonDecoder}. */
  readonly input?: DescMessage;
  /** Told of each call that runs, for an orderly close. */
  readonly onCall: (running: Promise<unknown>) => void;
}

/**
 * What surrounds every call, whatever its protocol: credentials are looked at before the body is read, failures become Connect
 * errors, nobody may keep an answer, and gzip and size limits apply. Passed to `router.service`, so that it also holds
 * on a router of somebody else.
 */
export function createCallOptions(parts: CallParts): Partial<ConnectRouterOptions> {
  const { log, authorise, readMaxBytes, input, onCall } = parts;
  const requestGate = async (context: HandlerContext) => {
    sanitizeErrors(context, findCall(context.values, context.url));
    // What is there and may be seen changes from one call to the next, and a GET could else be answered from a cache.
    context.responseHeader.set("cache-control", "no-store");
    try {
      await authorise(context.requestHeader);
    } catch (error) {
      throw toConnectError(error, { log, signal: context.signal });
    }
    checkGetQuery(context);
  };
  const surround: Interceptor = (next) => async (request) => {
    const call = findCall(request.contextValues, request.url);
    call.decoded = true;
    try {
      const running = next(withPathName(request, call.pathName));
      onCall(running);
      return await running;
    } catch (error) {
      throw toConnectError(error, { log, signal: request.signal });
    }
  };
  const jsonOptions = { ignoreUnknownFields: true, textDecoder: createJsonDecoder(input) };
  return {
    requestGate,
    interceptors: [surround],
    readMaxBytes,
    acceptCompression: [compressionGzip],
    jsonOptions,
    // Ignored as in JSON; else each of them would be kept as an object.
    binaryOptions: { readUnknownFields: false },
  };
}

type AnyRequest = Parameters<ReturnType<Interceptor>>[0];

/** The name in a REST path wins over the one in the body. Requests without a body have it already. */
function withPathName(request: AnyRequest, name: string | undefined): AnyRequest {
  if (name === undefined || request.stream || !isMessage(request.message, UpdateSecretRequestSchema)) return request;
  const message = clone(UpdateSecretRequestSchema, request.message);
  message.id ??= create(SecretIdentifierSchema);
  message.id.name = name;
  return { ...request, message };
}
