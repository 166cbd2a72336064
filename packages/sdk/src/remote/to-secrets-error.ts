import { Code, ConnectError } from "@connectrpc/connect";
import {
  type ConnectionFault,
  connectionFault,
  type ErrorCode,
  excerpt,
  isObject,
  SecretsError,
} from "@flyte-secrets/core";
import { describeRoute, type OwnServerRoute } from "./own-server-connection.ts";

/** The error codes for Connect's. Codes that such a service has no reason to return count as a fault of the server. */
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

/** The call that failed. */
export interface FailedCall {
  readonly endpoint: string;
  /** The route to the user's own server, for a call to it. */
  readonly ownServerRoute?: OwnServerRoute | undefined;
  /** Its time limit, if known. */
  readonly timeoutMs?: number | undefined;
  /** Whether it may have changed something even without a response. Default: false. */
  readonly changes?: boolean | undefined;
  /** Whether the endpoint has responded to an earlier call. Default: false. */
  readonly isKnown?: boolean;
}

/** The message of Connect's client and server when the time limit has passed. */
const TIMED_OUT = "the operation timed out";

/** Returns the error of a failed call: with the server's message, or without a response with what to do. */
export function toSecretsError(error: unknown, call: FailedCall): SecretsError {
  if (error instanceof SecretsError) return error;
  const failure = ConnectError.from(error);
  // An error of our interceptor, which Connect has wrapped.
  if (failure.cause instanceof SecretsError) return failure.cause;
  if (failure.code === Code.DeadlineExceeded && failure.rawMessage === TIMED_OUT) return timedOut(call, error);
  const { endpoint, ownServerRoute, isKnown = false } = call;
  // A call that its caller aborts has one of Node's codes too.
  const socketError = failure.code === Code.Canceled ? undefined : socketErrorOf(failure);
  if (socketError !== undefined && (ownServerRoute !== undefined || (isKnown && BROKEN.has(socketError.code)))) {
    return brokenOff(call, error);
  }
  const isSecure = endpoint.startsWith("https:");
  const fault = connectionFault(failure.cause, isSecure);
  if (fault !== undefined) return unavailable(endpoint, describeFault(fault, failure.cause), error);
  // The response of Go's servers to plain HTTP on a TLS port; no Connect service sends it.
  if (!isSecure && failure.rawMessage === "HTTP 400") return unavailable(endpoint, describeFault("no HTTP"), error);
  if (socketError !== undefined) {
    const what = socketError.message || socketError.code;
    return unavailable(endpoint, `${what}. Check the address and that the server runs.`, error);
  }
  return new SecretsError(CODES[failure.code], failure.rawMessage, { cause: error });
}

/** Node's codes for a connection that the peer has closed. */
const BROKEN: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);

function timedOut(call: FailedCall, cause: unknown): SecretsError {
  const limit = call.timeoutMs === undefined ? "in time" : `within ${call.timeoutMs / 1000} s`;
  return new SecretsError("deadline_exceeded", `${partyOf(call)} gave no answer ${limit}.${remedyFor(call)}`, {
    cause,
  });
}

function brokenOff(call: FailedCall, cause: unknown): SecretsError {
  const message = `${partyOf(call)} has ended, or has closed the connection, before it answered.${remedyFor(call)}`;
  return new SecretsError("store_unavailable", message, { cause });
}

const partyOf = ({ endpoint, ownServerRoute }: FailedCall): string =>
  ownServerRoute === undefined ? endpoint : `The server of this user (${describeRoute(ownServerRoute)})`;

function remedyFor({ ownServerRoute, changes = false }: FailedCall): string {
  const doubt = changes ? " The change may have been made or not: look before you repeat it." : "";
  return (
    `${doubt} ` +
    `${ownServerRoute === undefined ? "See whether it runs." : "See how it is: `flyte-secrets serve --status`."}`
  );
}

function unavailable(endpoint: string, reason: string, cause: unknown): SecretsError {
  return new SecretsError("store_unavailable", `${endpoint} cannot be reached: ${reason}`, { cause });
}

function describeFault(fault: ConnectionFault, cause?: unknown): string {
  switch (fault) {
    case "no TLS":
      return "it does not speak TLS. If it speaks plain HTTP, use --insecure, or set admin.insecure to true.";
    case "no HTTP":
      return (
        "it gives no answer to plain HTTP. If it speaks TLS, leave out --insecure (admin.insecure), or " +
        "write https://; else see whether it runs."
      );
    case "untrusted":
      return "its certificate is not trusted. Name its CA's file in admin.caCertFilePath (FLYTE_ADMIN_CACERTFILEPATH).";
    case "expired":
      return "its certificate is over, or not good yet. Have it renewed, or set this machine's clock.";
    case "other name":
      return `its certificate is for ${namesOf(cause)}. Use a name that it has, or have one made for this address.`;
    case "certificate wanted":
      return "it wants a client certificate, which this client has none of. Use an address that takes tokens.";
  }
}

/** The names in the certificate that an `ERR_TLS_CERT_ALTNAME_INVALID` is about, as `subjectAltName` has them. */
function namesOf(cause: unknown): string {
  const cert = cause instanceof Error && "cert" in cause ? cause.cert : undefined;
  const names = isObject(cert) ? cert.subjectaltname : undefined;
  return typeof names === "string" ? `other names (${excerpt(names)})` : "another name";
}

/** The error of the socket or of TLS, which has one of Node's codes: Connect keeps it as a cause. */
function socketErrorOf({ cause }: ConnectError): { readonly code: string; readonly message: string } | undefined {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string"
    ? { code: cause.code, message: cause.message }
    : undefined;
}
