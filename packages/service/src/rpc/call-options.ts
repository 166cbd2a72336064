import { type DescMessage, isMessage } from "@bufbuild/protobuf";
import type { ConnectRouterOptions, HandlerContext, Interceptor } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import { ListSecretsResponseSchema } from "@flyte-secrets/idl";
import type { Logger } from "pino";
import type { Authentication } from "../auth/authentication.ts";
import { checkGetQuery } from "../rest/check-get-query.ts";
import { createJsonDecoder } from "../rest/request-json.ts";
import { withPathName } from "../rest/rest-routes.ts";
import { authoriseCall, callContextOf } from "./call-context.ts";
import { sanitizeErrors, toConnectError } from "./connect-errors.ts";

export interface CallParts {
  readonly log: Logger;
  readonly authorise: Authentication["authorise"];
  /** Largest request message, compressed or not. */
  readonly readMaxBytes: number;
  /** The request's schema, for checks that Connect does not make, see {@link createJsonDecoder}. */
  readonly input?: DescMessage;
  /** Called with each call in flight, so that closing can wait for it. */
  readonly onCall: (running: Promise<unknown>) => void;
}

/**
 * Options of every call, whatever its protocol: the credentials are checked before the body is read, failures become
 * Connect errors, responses may not be cached, and gzip and size limits apply. They are passed to `router.service`, so
 * that they also hold on another server's router.
 */
export function createCallOptions(parts: CallParts): Partial<ConnectRouterOptions> {
  const { log, authorise, readMaxBytes, input, onCall } = parts;
  const requestGate = async (context: HandlerContext) => {
    const call = callContextOf(context.values, context.url);
    sanitizeErrors(context, call);
    // Contents and permissions change from one call to the next; without this a GET could be answered from a cache.
    context.responseHeader.set("cache-control", "no-store");
    try {
      await authoriseCall(call, { authorise }, context.requestHeader);
    } catch (error) {
      throw toConnectError(error, { log, signal: context.signal });
    }
    checkGetQuery(context);
  };
  const interceptor: Interceptor = (next) => async (request) => {
    const call = callContextOf(request.contextValues, request.url);
    call.decoded = true;
    try {
      const { pathName } = call;
      const running = next(request.stream ? request : { ...request, message: withPathName(request.message, pathName) });
      onCall(running);
      const response = await running;
      if (!response.stream && isMessage(response.message, ListSecretsResponseSchema)) {
        call.respond?.(response.message.secrets.length * LISTED_BYTES);
      }
      return response;
    } catch (error) {
      throw toConnectError(error, { log, signal: request.signal });
    }
  };
  const jsonOptions = { ignoreUnknownFields: true, textDecoder: createJsonDecoder(input) };
  return {
    requestGate,
    interceptors: [interceptor],
    readMaxBytes,
    acceptCompression: [compressionGzip],
    jsonOptions,
    // Ignored as in JSON; otherwise each of them would be kept as an object.
    binaryOptions: { readUnknownFields: false },
  };
}

/** Approximate memory of one secret in the answer of ListSecrets, which alone has large answers. */
const LISTED_BYTES = 512;
