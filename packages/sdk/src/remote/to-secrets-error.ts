import { Code, ConnectError } from "@connectrpc/connect";
import { type ErrorCode, SecretsError } from "@flyte-secrets/core";

/** Connect's codes as ours. Those that a service of this kind has no reason to send count as a fault of the server. */
const CODES: Readonly<Record<Code, ErrorCode>> = {
  [Code.InvalidArgument]: "invalid_argument",
  [Code.OutOfRange]: "invalid_argument",
  [Code.NotFound]: "not_found",
  [Code.AlreadyExists]: "already_exists",
  [Code.FailedPrecondition]: "call_refused",
  [Code.PermissionDenied]: "call_refused",
  [Code.ResourceExhausted]: "call_refused",
  [Code.Unauthenticated]: "unauthenticated",
  [Code.Unavailable]: "store_unavailable",
  [Code.DeadlineExceeded]: "deadline_exceeded",
  [Code.Aborted]: "conflict",
  [Code.Canceled]: "canceled",
  [Code.Unimplemented]: "unimplemented",
  [Code.Internal]: "internal",
  [Code.Unknown]: "internal",
  [Code.DataLoss]: "store_damaged",
};

/** What a caller of the SDK gets for a failed call: the server's own message, or for one that never reached it, what to do. */
export function toSecretsError(error: unknown, endpoint: string): SecretsError {
  if (error instanceof SecretsError) return error;
  const failure = ConnectError.from(error);
  // From our interceptor, which Connect has wrapped.
  if (failure.cause instanceof SecretsError) return failure.cause;
  const socketError = socketErrorOf(failure);
  if (socketError !== undefined) {
    const message = `${endpoint} cannot be reached: ${socketError}. Check the address and that the server runs.`;
    return new SecretsError("store_unavailable", message, { cause: error });
  }
  return new SecretsError(CODES[failure.code], failure.rawMessage, { cause: error });
}

/** The socket's or TLS's own error, which has one of Node's codes; Connect keeps it as the cause of the error it makes. */
function socketErrorOf({ cause }: ConnectError): string | undefined {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string"
    ? cause.message || cause.code
    : undefined;
}
