import { excerpt, SecretsError } from "@flyte-secrets/core";

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
