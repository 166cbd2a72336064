import {
  type ConnectionFault,
  connectionFault,
  type ErrorCode,
  excerpt,
  isSecretsError,
  SecretsError,
} from "@flyte-secrets/core";
import * as z from "zod/mini";
import { NoObjectError } from "./objects.ts";
import { BodyTooLongError } from "./response-body.ts";

/** The request to the API server, in RBAC's words. */
export interface ApiCall {
  /** Such as `get`, `list`, `create`, `update`, `delete`, `watch`. */
  readonly verb: string;
  /** Such as `secrets` or `mutatingwebhookconfigurations.admissionregistration.k8s.io`; or a path. */
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** The API server and where its address comes from. */
  readonly server: string;
  /** Whether it is spoken to by TLS. */
  readonly isSecure: boolean;
}

const causeSchema = z.object({
  reason: z.optional(z.string()),
  message: z.optional(z.string()),
  field: z.optional(z.string()),
});

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
const statusSchema = z.object({
  kind: z.literal("Status"),
  reason: z.optional(z.string()),
  message: z.optional(z.string()),
  details: z.nullish(
    z.object({
      kind: z.optional(z.string()),
      name: z.optional(z.string()),
      causes: z.nullish(z.array(causeSchema)),
    }),
  ),
});

type Status = z.output<typeof statusSchema>;

/** The cause of an error that the API server answered with. */
class StatusError extends Error {
  override readonly name = "StatusError";
  readonly status: number;
  readonly causes: readonly z.output<typeof causeSchema>[];

  constructor(status: number, { reason, details }: Status) {
    super(`${status}${suffix(reason)}`);
    this.status = status;
    this.causes = details?.causes ?? [];
  }
}

/**
 * The HTTP status that made this error: 401 for credentials that aren't taken, 403 for a right that is missing.
 * Undefined without one.
 */
export function httpStatusOf(error: unknown): number | undefined {
  return error instanceof Error && error.cause instanceof StatusError ? error.cause.status : undefined;
}

/**
 * The message of a cause with this reason in `details.causes` of the answer that made this error: text of whoever
 * refused the call.
 */
export function statusCauseOf(error: unknown, reason: string): string | undefined {
  if (!(error instanceof Error && error.cause instanceof StatusError)) return undefined;
  return error.cause.causes.find((cause) => cause.reason === reason)?.message;
}

/** Whether an answer was longer than the call allowed. */
export function isTooLong(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof BodyTooLongError;
}

/**
 * What an answer of 400 and above means. The API server's own message stays out, since it may quote what was sent;
 * fields and reasons are taken instead.
 */
export function fromStatus(code: number, body: unknown, call: ApiCall): SecretsError {
  const parsed = statusSchema.safeParse(body);
  const status: Status = parsed.success ? parsed.data : { kind: "Status" };
  const cause = new StatusError(code, status);
  const failed = (errorCode: ErrorCode, why: string) =>
    new SecretsError(errorCode, `${describeCall(call)}: ${why}`, { cause });
  switch (code) {
    case 401:
      return failed("credentials_refused", `${call.server} refuses our credentials.`);
    case 403:
      return failed(...fromForbidden(status, call));
    case 404:
      return failed(...fromNotFound(status, call));
    case 409:
      return status.reason === "AlreadyExists"
        ? failed("already_exists", "it exists already.")
        : failed("conflict", "somebody else changed it meanwhile.");
    case 410:
      return failed("page_token_expired", "the place in the list is too old. List again.");
    case 413:
      return failed("value_too_large", "it is over the API server's limit for objects.");
    case 429:
      return failed("store_unavailable", `${call.server} is busy.`);
    case 400:
      // Servers written in Go say so in plain text.
      if (!call.isSecure && !parsed.success) return failed("store_unavailable", describeFault("no HTTP", call, "400"));
      return failed(...fromInvalid(code, status));
    default:
      return code >= 500
        ? failed("store_unavailable", `${call.server} answers ${code}${suffix(status.reason)}.`)
        : failed(...fromInvalid(code, status));
  }
}

function fromForbidden(status: Status, call: ApiCall): [ErrorCode, string] {
  const { verb, resource, namespace } = call;
  if (status.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating")) {
    return ["call_refused", `namespace ${namespace} is being deleted.`];
  }
  const permission = `permission to ${verb} ${resource}${namespace === undefined ? "" : ` in namespace ${namespace}`}`;
  // Nothing but its message tells these apart. If the wording should change, the last text is still true.
  const message = status.message ?? "";
  if (/ cannot \w+ (?:resource|path) /.test(message)) {
    const [, account = ""] = /User "((?:[^"\\]|\\.){1,300})" cannot /.exec(message) ?? [];
    const whom = `the account ${account && `${excerpt(account)} `}of ${call.server}`;
    return ["credentials_refused", `we have no ${permission}. Grant it to ${whom}${ruleFor(call)}.`];
  }
  if (/exceeded quota: /.test(message)) {
    return [
      "too_many_secrets",
      `a ResourceQuota${namespace ? ` of namespace ${namespace}` : ""} is used up. Raise it, or try again later.`,
    ];
  }
  return ["call_refused", `an admission rule refuses it, or we have no ${permission}.`];
}

/** What to put into a Role, in RBAC's words. */
function ruleFor({ verb, resource, namespace }: ApiCall): string {
  if (resource.startsWith("/")) return "";
  const [plural = "", ...group] = resource.split(".");
  const rule = `{apiGroups: ["${group.join(".")}"], resources: [${plural}], verbs: [${verb}]}`;
  return `, by a ${namespace === undefined ? "ClusterRole" : `Role in namespace ${namespace}`} with the rule ${rule}`;
}

function fromNotFound({ details }: Status, { resource, namespace }: ApiCall): [ErrorCode, string] {
  return details?.kind === "namespaces" && resource !== "namespaces"
    ? ["call_refused", `namespace ${details.name ?? namespace} does not exist. Create it.`]
    : ["not_found", "it does not exist."];
}

function fromInvalid(code: number, { reason, details }: Status): [ErrorCode, string] {
  const causes = details?.causes ?? [];
  const fields = causes.map((cause) => `${cause.field ?? "?"}${suffix(cause.reason)}`).join(", ");
  const tooLong = causes.some((cause) => cause.reason === "FieldValueTooLong");
  return [
    tooLong ? "value_too_large" : "invalid_argument",
    `the API server refuses it with ${code}${suffix(reason)}${fields && `: ${fields}`}.`,
  ];
}

/** A failure on the way: unreachable, not trusted, out of time, given up. A {@link SecretsError} passes as it is. */
export function fromFailure(error: unknown, call: ApiCall): SecretsError {
  if (isSecretsError(error)) return error;
  if (error instanceof BodyTooLongError) {
    const why = `${call.server} answers with more than ${error.maxBytes} bytes, which no answer of an API server has.`;
    return new SecretsError("store_unavailable", `${describeCall(call)}: ${why}`, { cause: error });
  }
  if (error instanceof NoObjectError) {
    const why = `${call.server} answers with something else than Kubernetes does. Is it the page of a proxy before it?`;
    return new SecretsError("store_unavailable", `${describeCall(call)}: ${why}`, { cause: error });
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "no code";
  if (code === "ERR_INVALID_CHAR") {
    return new SecretsError(
      "credentials_refused",
      `${describeCall(call)}: our credentials for ${call.server} have a character that no HTTP header can have, ` +
        "such as a line break.",
    );
  }
  // A connection that is reset is as good a sign of a restart.
  const fault = code === "ECONNRESET" ? undefined : connectionFault(error, call.isSecure);
  const why = fault === undefined ? `${call.server} cannot be reached (${code}).` : describeFault(fault, call, code);
  return new SecretsError("store_unavailable", `${describeCall(call)}: ${why}`, { cause: error });
}

function describeFault(fault: ConnectionFault, { server }: ApiCall, code: string): string {
  switch (fault) {
    case "no TLS":
      return `${server} does not speak TLS. If it speaks plain HTTP, write http:// in its address.`;
    case "no HTTP":
      return `${server} does not answer to plain HTTP (${code}). If it speaks TLS, write https:// in its address.`;
    case "untrusted":
      return `the certificate of ${server} is not trusted (${code}). Check its certificate-authority.`;
    case "expired":
      return (
        `the certificate of ${server} is over, or not good yet (${code}). Have it renewed, or set this machine's ` +
        "clock."
      );
    case "other name":
      return (
        `the certificate of ${server} is for another name (${code}). Use a name that it has, or set its ` +
        "tls-server-name."
      );
    case "certificate wanted":
      return (
        `${server} does not accept the client certificate, or requires one (${code}). Check the user's ` +
        "client-certificate."
      );
  }
}

function describeCall({ verb, resource, namespace, name }: ApiCall): string {
  return `${verb} ${resource}${name ? ` ${name}` : ""}${namespace === undefined ? "" : ` in namespace ${namespace}`}`;
}

function suffix(text: string | undefined): string {
  return text === undefined || text === "" ? "" : ` (${text})`;
}
