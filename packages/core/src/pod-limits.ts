import { SecretsError } from "./errors.ts";
import type { SecretRequest } from "./secret-request.ts";

/**
 * The limits of one pod, `webhook.limits`: they bound the work for a pod before it begins. Lengths are in characters
 * (UTF-16 code units).
 */
export interface PodLimits {
  /** Number of requests. */
  readonly requests: number;
  /** Length of a request annotation's value. */
  readonly annotationLength: number;
  /** Length of a request's `group`. Secret managers check their own, shorter limits. */
  readonly groupLength: number;
  readonly groupVersionLength: number;
  readonly keyLength: number;
  readonly envVarLength: number;
  /** Length of the encoded id of a secret that is looked up. */
  readonly idLength: number;
  /** Number of variables and mounts of a pod's secrets, multiplied by the containers that get them. */
  readonly edits: number;
  /** Size of the patch as JSON, in bytes. */
  readonly patchBytes: number;
  /** Number of warnings in the response. */
  readonly warnings: number;
}

/** Enough for every pod that Flyte is known to create; at most milliseconds and a few MiB for each. */
export const DEFAULT_POD_LIMITS: PodLimits = {
  requests: 256,
  // All fields at their maximum length, with half of their characters escaped.
  annotationLength: 16_384,
  // The maximum length of an AWS ARN.
  groupLength: 2_048,
  groupVersionLength: 253,
  // The maximum length of a Kubernetes data key, which an encoded id is.
  keyLength: 253,
  envVarLength: 253,
  idLength: 253,
  edits: 16_384,
  patchBytes: 1_048_576,
  warnings: 16,
};

/** Throws `limit_exceeded`, naming the setting, when `what` is `amount` and that is over a limit. */
export function checkLimit(limits: PodLimits, name: keyof PodLimits, { what, amount }: Measurement): void {
  if (amount <= limits[name]) return;
  throw new SecretsError(
    "limit_exceeded",
    `${what}: ${amount} is over the limit of ${limits[name]} (webhook.limits.${name})`,
  );
}

/** A measured amount, and its name for the message, which stands before a colon. */
export interface Measurement {
  readonly what: string;
  readonly amount: number;
}

const FIELD_LIMITS = [
  ["key", "key", "keyLength"],
  ["group", "group", "groupLength"],
  ["groupVersion", "group_version", "groupVersionLength"],
  ["envVar", "env_var", "envVarLength"],
] as const;

/** Throws `limit_exceeded` for a request with a field that is too long; `where` names the request. */
export function checkRequestLimits(limits: PodLimits, request: SecretRequest, where: string): void {
  for (const [field, name, limit] of FIELD_LIMITS) {
    const amount = request[field].length;
    if (amount > limits[limit]) checkLimit(limits, limit, { what: `characters of ${name} in ${where}`, amount });
  }
}
