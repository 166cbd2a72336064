import { andThen, type MaybePromise, quote, SecretsError } from "@flyte-secrets/core";
import type { InjectionRecord } from "@flyte-secrets/inject";
import { parsePod } from "@flyte-secrets/inject";
import type { AdmissionAnswer, AdmissionRequest } from "./admission-review.ts";
import { type MutatePodOptions, mutatePod } from "./mutate-pod.ts";

/** What was decided, with what is to be counted of it. */
export interface Admission {
  readonly answer: AdmissionAnswer;
  readonly injections: readonly InjectionRecord[];
}

const UNCHANGED: Admission = { answer: { allowed: true }, injections: [] };

/**
 * The answer to an admission request: should it be changed, may the pod claim what it claims, what is the change. Throws
 * `SecretsError` for a pod that is to be rejected. Without a promise when everything is known (W-4).
 */
export function admit(
  request: AdmissionRequest,
  options: MutatePodOptions,
  signal: AbortSignal,
): MaybePromise<Admission> {
  if (!request.createsPod) return UNCHANGED;
  const pod = parsePod(request.object);
  const { namespace, creator, dryRun } = request;
  checkNamespace(pod.metadata?.namespace, namespace);
  return andThen(mutatePod({ pod, namespace, creator }, options, { dryRun, signal }), (change) => {
    if (!change.changed) return UNCHANGED;
    const { patch, warnings, injections } = change;
    return { answer: { allowed: true, patch, warnings }, injections };
  });
}

/** The API server has seen to it that the two are one, so another pair comes from somebody else. */
function checkNamespace(own: string | null | undefined, requested: string): void {
  if (!own || own === requested) return;
  throw new SecretsError(
    "invalid_argument",
    `the pod's metadata.namespace is ${quote(own)}, and the request is for namespace ${quote(requested)}: they must be the same`,
  );
}
