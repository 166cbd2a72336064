import { SecretsError } from "./errors.ts";
import type { SecretRequest } from "./secret-request.ts";

/**
 * How much a pod may ask for, so that its work is bounded before any of it is done: `webhook.limits`. Lengths are in characters
 * (UTF-16 code units).
 */
export interface PodLimits {
  /** Requests a pod. */
  readonly requests: number;
  /** Of the value of one request's annotation. */
  readonly annotationLength: number;
  /** Of a request's `group`. A secret manager whose own names are shorter says so itself. */
  readonly groupLength: number;
  readonly groupVersionLength: number;
  readonly keyLength: number;
  readonly envVarLength: number;
  /** Of the encoded id of a secret that is looked up. */
  readonly idLength: number;
  /** Variables and mounts of a pod's secrets, times the containers that get them. */
  readonly edits: number;
  /** Bytes of a pod's patch, in JSON. */
  readonly patchBytes: number;
  /** Warnings an answer. */
  readonly warnings: number;
}

/** What is enough for every pod that Flyte is known to make, and takes milliseconds and a few MiB at the most. */
export const DEFAULT_POD_LIMITS: PodLimits = {
  requests: 256,
  // All fields as long as they may be, half of their characters escaped.
  annotationLength: 16_384,
  // An ARN of AWS.
  groupLength: 2_048,
  groupVersionLength: 253,
  // What Kubernetes takes as a data key: such a key is the encoded id.
  keyLength: 253,
  envVarLength: 253,
  idLength: 253,
  edits: 16_384,
  patchBytes: 1_048_576,
  warnings: 16,
};

/** Throws `limit_exceeded`, naming the setting, when `what` is `amount` and that is over a limit. */
export function checkLimit(limits: PodLimits, name: keyof PodLimits, { what, amount }: Measured): void {
  if (amount <= limits[name]) return;
  throw new SecretsError(
    "limit_exceeded",
    `${what}: ${amount} is over the limit of ${limits[name]} (webhook.limits.${name})`,
  );
}

/** What is measured, to be read before a colon, and how much or many of it there is. */
export interface Measured {
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
