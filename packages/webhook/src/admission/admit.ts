import { andThen, type MaybePromise, quote, SecretsError } from "@flyte-secrets/core";
import {
  type InjectionRecord,
  type MutateOptions,
  type Mutator,
  type PodChange,
  parsePod,
} from "@flyte-secrets/inject";
import { claimOf, type PodClaimOptions } from "../binding/pod-claim.ts";
import type { PodCreation } from "../binding/scope-guard.ts";
import type { AdmissionRequest, AdmissionResponse } from "./admission-review.ts";

/** The response to a request, and the injections for the metrics. */
export interface Admission {
  readonly answer: AdmissionResponse;
  readonly injections: readonly InjectionRecord[];
}

const UNCHANGED: Admission = { answer: { allowed: true }, injections: [] };

/**
 * Decides an admission request: whether it concerns the webhook, whether the pod may make its claim, and how the pod is
 * changed. Throws `SecretsError` for a pod that is rejected. Without a promise when everything is in memory (W-4).
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

/** The API server ensures that both are equal, so that a different pair comes from somebody else. */
function checkNamespace(own: string | null | undefined, requested: string): void {
  if (!own || own === requested) return;
  throw new SecretsError(
    "invalid_argument",
    `the pod's metadata.namespace is ${quote(own)}, and the request is for namespace ${quote(requested)}: they ` +
      "must be the same",
  );
}

export interface MutatePodOptions extends PodClaimOptions {
  readonly mutator: Pick<Mutator, "computeChange">;
}

/**
 * Returns the change that injects the requested secrets into a pod, and writes the Secrets that the pod then refers to.
 * Throws `SecretsError` for a pod that is rejected. Without a promise when everything is in memory.
 */
export function mutatePod(
  creation: PodCreation,
  options: MutatePodOptions,
  call: Pick<MutateOptions, "dryRun" | "signal"> = {},
): MaybePromise<PodChange> {
  const { pod, namespace } = creation;
  const { dryRun, signal } = call;
  return andThen(claimOf(creation, options), (claim) =>
    andThen(options.mutator.computeChange(pod, { namespace, dryRun, signal, claim }), (change) => {
      const warning = claim?.warning;
      if (warning === undefined || !change.changed) return change;
      return { ...change, warnings: [...change.warnings, warning] };
    }),
  );
}
