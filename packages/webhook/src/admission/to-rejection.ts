import { randomUUID } from "node:crypto";
import { type ErrorCode, isSecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";
import type { AdmissionResponse } from "./admission-review.ts";

/** The rejection of a pod. */
export interface Rejection {
  readonly answer: Extract<AdmissionResponse, { allowed: false }>;
  /** The label of its metric. */
  readonly code: ErrorCode;
}

/**
 * Returns the response to a failed mutation. A `SecretsError` has a status that decides whether Flyte tries again, and
 * a message for the user. Any other error is a fault of the webhook: status 500 with an id under which the log has the
 * details (W-5).
 */
export function toRejection(error: unknown, log: Logger): Rejection {
  if (!isSecretsError(error)) {
    const id = randomUUID();
    log.error({ err: error, id }, "unexpected failure");
    return rejection("internal", 500, `internal error, see the webhook's log for ${id}`);
  }
  const { code, message } = error;
  const status = error.kind.admission;
  // Warnings are for the operator of the webhook; what only the author of the pod can correct is in the rejection.
  const level = error.kind.mendedBy === "author" ? "info" : "warn";
  log[level]({ code, status, reason: message, ...(error.cause !== undefined && { err: error.cause }) }, "pod rejected");
  return rejection(code, status, message);
}

/** The rejection of a pod for which no decision was made in time. */
export function deadlineRejection(): Rejection {
  const message = "the secrets could not be read before the API server's time limit for the webhook: try again";
  return rejection("deadline_exceeded", 503, message);
}

function rejection(code: ErrorCode, status: number, message: string): Rejection {
  return { code, answer: { allowed: false, code: status, message } };
}
