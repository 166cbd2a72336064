import { type ConnectionFault, connectionFault, excerpt, SecretsError } from "@flyte-secrets/core";

/*
 * Errors of secret managers, for whoever operates the webhook. They have no `cause`, because SDKs put whole responses
 * into their errors and a response may contain a value. `detail` is a code or a status, never text of the response.
 */

/** The secret manager is down, slow or busy, or its response makes no sense. */
export function unavailable(manager: string, name: string, detail: string): SecretsError {
  return new SecretsError(
    "store_unavailable",
    `secret ${shown(name)} failed to be read from secret manager ${manager}: ${detail}`,
  );
}

/** The secret manager refuses the read; `remedy` names the missing permission and its subject. */
export function refused(
  manager: string,
  name: string,
  { detail, remedy }: { detail: string; remedy: string },
): SecretsError {
  return new SecretsError(
    "credentials_refused",
    `secret ${shown(name)} failed to be read from secret manager ${manager}: ${detail}; ${remedy}`,
  );
}

/** The secret exists but its value cannot be read. */
export function unreadable(manager: string, name: string, problem: string): SecretsError {
  return new SecretsError(
    "value_unreadable",
    `secret ${shown(name)} failed to be read from secret manager ${manager}: ${problem}`,
  );
}

/** The secret exists but has neither text nor bytes. */
export function readAsEmpty(manager: string, name: string): SecretsError {
  return new SecretsError("value_unreadable", `secret ${shown(name)} read as empty from the secret manager ${manager}`);
}

/**
 * An id is shown whole, because it is what the reader searches for. The name of a pod's group may be longer and is cut.
 */
function shown(name: string): string {
  return name.length <= 253 ? name : excerpt(name);
}

/** The code or name of an error, for `detail`. */
export function errorName(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

/** How {@link explainFailure} classifies the failures of a secret manager. */
export interface FailureHints {
  /** The settings that determine its address. */
  readonly settings: string;
  /** Its own codes for too many calls. */
  readonly busy: RegExp;
  /** Its own codes for an internal fault. */
  readonly broken: RegExp;
}

/**
 * Explains a failure of the connection or of the secret manager and what to do about it. The explanation contains
 * `code`, so that it can be searched for; an unknown code is returned alone.
 */
export function explainFailure(error: unknown, code: string, { settings, busy, broken }: FailureHints): string {
  const fault = connectionFault(error, true);
  if (fault === "untrusted") return `its certificate is not trusted (${code}): name its CA in NODE_EXTRA_CA_CERTS`;
  if (fault !== undefined) return `${FAULTS[fault]} (${code}): check ${settings}`;
  if (/^(?:ENOTFOUND|EAI_AGAIN|EAI_FAIL|ENODATA)$/.test(code)) {
    return `DNS does not know its address (${code}): check ${settings}, and that the webhook's pod may ask DNS`;
  }
  if (UNREACHABLE.test(code)) {
    return (
      `it cannot be reached (${code}): check ${settings}, and that firewalls and network policies let the ` +
      "webhook through"
    );
  }
  if (busy.test(code)) {
    return (
      `it refuses more calls for now (${code}), and is called again later; ` +
      "raise its quota, or cache values for longer " +
      "(cache.inMemoryFixedSize.defaultExpiration)"
    );
  }
  return broken.test(code) ? `it has an internal fault (${code}), and is called again later` : code;
}

const UNREACHABLE =
  /^(?:ECONNREFUSED|ECONNRESET|ECONNABORTED|EHOSTUNREACH|ENETUNREACH|EPIPE|ETIMEDOUT|ESOCKETTIMEDOUT|TimeoutError|REQUEST_SEND_ERROR|DEADLINE_EXCEEDED|UNAVAILABLE)$/;

const FAULTS: Readonly<Record<Exclude<ConnectionFault, "untrusted">, string>> = {
  "no TLS": "it does not speak TLS",
  "no HTTP": "it does not speak HTTP",
  expired: "its certificate is not valid now",
  "other name": "its certificate is for other names",
  "certificate wanted": "it wants a client certificate",
};
