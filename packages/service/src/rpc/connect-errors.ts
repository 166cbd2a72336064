import { randomUUID } from "node:crypto";
import { type DescField, type DescOneof, ScalarType } from "@bufbuild/protobuf";
import { isFieldError } from "@bufbuild/protobuf/reflect";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { codeFromString, codeToString } from "@connectrpc/connect/protocol-connect";
import { isSecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";
import type { CallContext } from "./call-context.ts";

export interface FailureContext {
  readonly log: Logger;
  /** Aborted when the call's deadline has passed or the client has disconnected. */
  readonly signal: AbortSignal;
}

/**
 * Converts a failure to the error that its caller sees. A SecretsError keeps its code and its safe message, and its
 * cause is logged. A call that its caller aborted fails with the reason of the abort; one that this server abandoned is
 * `unavailable`. Any other error is `internal`, with an id under which the log has the details (S-20, S-22).
 */
export function toConnectError(error: unknown, { log, signal }: FailureContext): ConnectError {
  if (error instanceof ConnectError) return error;
  // A store or API client may have turned the caller's deadline into an error of its own.
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

/** No client reads this error, but the log has its code. */
export function callerIsGone(): ConnectError {
  return new ConnectError("the caller is gone", Code.Canceled);
}

/**
 * Removes secret values from errors, in place, before any protocol writes them out: Connect's own errors about
 * unreadable bodies quote the body, and the value in it. Handlers of every protocol pass a failure to `abort` first,
 * the one point that all of them share (S-20).
 */
export function sanitizeErrors(context: HandlerContext, call: CallContext): void {
  if (!("abort" in context) || typeof context.abort !== "function") return;
  const abort = context.abort;
  Object.assign(context, {
    abort(reason?: unknown) {
      if (reason instanceof ConnectError) sanitize(reason, call);
      abort(reason);
    },
  });
}

/** Removes what a caller must not see from an error, in place, and keeps its code for the metrics. */
export function sanitize(error: ConnectError, call: CallContext): void {
  if (!call.decoded) Object.assign(error, describeUnreadable(error));
  if (error.code !== Code.Unauthenticated) Object.assign(error, { rawMessage: avoidLoginPrompt(error.rawMessage) });
  call.code ??= codeToString(error.code);
}

/**
 * Rewrites `unauthorized` and `unauthenticated`: Flyte's clients start a login when a message contains either, even in
 * a name.
 */
export function avoidLoginPrompt(message: string): string {
  return message.replace(/(un)(authorized|authenticated)/gi, "$1-$2");
}

/** An unreadable body is the caller's mistake; the JSON parser's message is replaced, because it quotes the body. */
function describeUnreadable(error: ConnectError): { code?: Code; rawMessage?: string } {
  if (error.code === Code.Internal) return { code: Code.InvalidArgument };
  const { cause } = error;
  if (!(cause instanceof Error) || isSecretsError(cause) || cause.message !== error.rawMessage) return {};
  return { rawMessage: describeJsonFailure(cause.cause) };
}

const NOT_JSON =
  "the request body is not the request's JSON: one object in UTF-8, objects for nested messages, no name twice";

function describeJsonFailure(cause: unknown): string {
  if (!isFieldError(cause)) return NOT_JSON;
  const field: DescField | DescOneof = cause.field();
  switch (field.kind) {
    case "oneof":
      return `${field.name}: only one of ${field.fields.map(({ name }) => name).join(", ")} may be set`;
    case "field":
      return `${field.name}: must be ${describeJsonType(field)} in JSON`;
  }
}

function describeJsonType(field: DescField): string {
  switch (field.fieldKind) {
    case "scalar":
      return field.scalar === ScalarType.BYTES ? "base64" : `a ${ScalarType[field.scalar].toLowerCase()}`;
    case "enum":
      return `one of ${field.enum.values.map(({ name }) => name).join(", ")}`;
    case "list":
      return "an array";
    case "message":
    case "map":
      return "an object";
  }
}
