import { randomUUID } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import { isSecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";

export interface CallSurroundings {
  readonly log: Logger;
  /** Aborted when the caller's time limit has passed or the caller is gone. */
  readonly signal: AbortSignal;
}

/**
 * What a caller gets to see of a failure. Errors of ours carry a code and a safe message, and the log gets
 * what caused them; an abort is told by its reason; anything
 * else is a fault of ours: `internal` with an id under which the log has the rest.
 */
export function toConnectError(error: unknown, { log, signal }: CallSurroundings): ConnectError {
  if (error instanceof ConnectError) return error;
  if (isSecretsError(error)) {
    if (error.cause !== undefined) log.warn({ err: error, code: error.code }, "call failed");
    const code = codeFromString(error.kind.connect) ?? Code.Internal;
    const metadata = code === Code.Unauthenticated ? { "www-authenticate": "Bearer" } : undefined;
    return new ConnectError(error.message, code, metadata, undefined, error);
  }
  if (signal.aborted) return signal.reason instanceof ConnectError ? signal.reason : callerIsGone();
  const id = randomUUID();
  log.error({ err: error, id }, "unexpected failure");
  return new ConnectError(`internal error, see the server's log for ${id}`, Code.Internal, undefined, undefined, error);
}

/** Nobody reads it, but the log has the code. */
function callerIsGone(): ConnectError {
  return new ConnectError("the caller is gone", Code.Canceled);
}
