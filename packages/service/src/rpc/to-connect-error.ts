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
 * What a caller gets to see of a failure. Errors of ours carry a code and a safe message, and the log gets what caused
 * them; an abort by the caller is told by its reason, and what we gave up ourselves is `unavailable`; anything else is
 * a fault of ours: `internal` with an id under which the log has the rest (S-20, S-22).
 */
export function toConnectError(error: unknown, { log, signal }: CallSurroundings): ConnectError {
  if (error instanceof ConnectError) return error;
  // Whoever was waited for may have made an error of its own of the caller's time limit.
  const isTheCallers =
    signal.aborted && (!isSecretsError(error) || isSecretsError(error, "deadline_exceeded", "canceled"));
  if (isTheCallers) return signal.reason instanceof ConnectError ? signal.reason : callerIsGone();
  if (isSecretsError(error)) {
    if (error.cause !== undefined) log.warn({ err: error, code: error.code }, "call failed");
    // A caller who hasn't canceled the call may make it again.
    const code = error.code === "canceled" ? Code.Unavailable : (codeFromString(error.kind.connect) ?? Code.Internal);
    const metadata = code === Code.Unauthenticated ? { "www-authenticate": "Bearer" } : undefined;
    return new ConnectError(error.message, code, metadata, undefined, error);
  }
  const id = randomUUID();
  log.error({ err: error, id }, "unexpected failure");
  return new ConnectError(`internal error, see the server's log for ${id}`, Code.Internal, undefined, undefined, error);
}

/** Nobody reads it, but the log has the code. */
function callerIsGone(): ConnectError {
  return new ConnectError("the caller is gone", Code.Canceled);
}
