import { type DescField, type DescOneof, ScalarType } from "@bufbuild/protobuf";
import { isFieldError } from "@bufbuild/protobuf/reflect";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { isSecretsError } from "@flyte-secrets/core";
import type { Call } from "./call.ts";

/**
 * Puts right, in place, what an error says before any protocol writes it out: Connect's own errors about unreadable bodies
 * quote the body, and with it the value. Handlers of every protocol pass a failure to `abort` first, and that is the one
 * point all of them share (S-20).
 */
export function sanitizeErrors(context: HandlerContext, call: Call): void {
  if (!("abort" in context) || typeof context.abort !== "function") return;
  const abort = context.abort;
  Object.assign(context, {
    abort(reason?: unknown) {
      if (reason instanceof ConnectError) tidy(reason, call);
      abort(reason);
    },
  });
}

function tidy(error: ConnectError, call: Call): void {
  if (!call.decoded) Object.assign(error, describeUnreadable(error));
  if (error.code !== Code.Unauthenticated) Object.assign(error, { rawMessage: avoidLoginPrompt(error.rawMessage) });
  call.code ??= codeToString(error.code);
}

/** Flyte's clients take `unauthorized` or `unauthenticated` anywhere in a message for a request to log in, even in a name. */
export function avoidLoginPrompt(message: string): string {
  return message.replace(/(un)(authorized|authenticated)/gi, "$1-$2");
}

/** A body that can't be read is the caller's mistake, and an error of the JSON parser is told without its quotation. */
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
