import { type ConnectionFault, connectionFault, excerpt, SecretsError } from "@flyte-secrets/core";

/*
 * What went wrong with a secret manager, for whoever runs the webhook. No `cause`: SDKs put whole answers into their errors,
 * and an answer may hold a value. `detail` is a code or a status, never text of the answer.
 */

/** The manager is down, slow, busy, or answers what it should not. */
export function unavailable(manager: string, name: string, detail: string): SecretsError {
  return new SecretsError(
    "store_unavailable",
    `secret ${shown(name)} failed to be read from secret manager ${manager}: ${detail}`,
  );
}

/** The manager does not let us read; `remedy` says what has to be allowed to whom. */
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

/** The secret is there and has no value that could be read. */
export function unreadable(manager: string, name: string, problem: string): SecretsError {
  return new SecretsError(
    "value_unreadable",
    `secret ${shown(name)} failed to be read from secret manager ${manager}: ${problem}`,
  );
}

/** The manager answered with neither a string nor bytes. */
export function readAsEmpty(manager: string, name: string): SecretsError {
  return new SecretsError("value_unreadable", `secret ${shown(name)} read as empty from the secret manager ${manager}`);
}

/** An id is shown as a whole, since that is what its reader looks for; a group of a pod's may be longer. */
function shown(name: string): string {
  return name.length <= 253 ? name : excerpt(name);
}

/** The name or code of an error, for `detail`. */
export function errorName(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

/** What {@link explainFailure} knows of a manager. */
export interface ManagerHints {
  /** The settings that say where it is. */
  readonly settings: string;
  /** Codes of its own for too many calls. */
  readonly busy: RegExp;
  /** Codes of its own for a fault that isn't ours. */
  readonly broken: RegExp;
}

/**
 * What a failure of the connection, or of the manager itself, is and what to do about it, with its `code` for who searches
 * for it. A code of which nothing is known stands for itself.
 */
export function explainFailure(error: unknown, code: string, { settings, busy, broken }: ManagerHints): string {
  const fault = connectionFault(error, true);
  if (fault === "untrusted") return `its certificate is not trusted (${code}): name its CA in NODE_EXTRA_CA_CERTS`;
  if (fault !== undefined) return `${FAULTS[fault]} (${code}): check ${settings}`;
  if (/^(?:ENOTFOUND|EAI_AGAIN|EAI_FAIL|ENODATA)$/.test(code)) {
    return `DNS does not know its address (${code}): check ${settings}, and that the webhook's pod may ask DNS`;
  }
  if (UNREACHED.test(code)) {
    return `it cannot be reached (${code}): check ${settings}, and that firewalls and network policies let the webhook through`;
  }
  if (busy.test(code)) {
    return (
      `it takes no more calls for now (${code}): it is asked again; raise its quota, or keep values for longer ` +
      "(webhook.embeddedSecretManagerConfig.inMemoryFixedSize.defaultExpiration)"
    );
  }
  return broken.test(code) ? `a fault of its own (${code}): it is asked again` : code;
}

const UNREACHED =
  /^(?:ECONNREFUSED|ECONNRESET|ECONNABORTED|EHOSTUNREACH|ENETUNREACH|EPIPE|ETIMEDOUT|ESOCKETTIMEDOUT|TimeoutError|REQUEST_SEND_ERROR|DEADLINE_EXCEEDED|UNAVAILABLE)$/;

const FAULTS: Readonly<Record<Exclude<ConnectionFault, "untrusted">, string>> = {
  "no TLS": "it does not speak TLS",
  "no HTTP": "it does not speak HTTP",
  expired: "its certificate is not valid now",
  "other name": "its certificate is for other names",
  "certificate wanted": "it wants a client certificate",
};
