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

/** What was decided, with what is to be counted of it. */
export interface Admission {
  readonly answer: AdmissionResponse;
  readonly injections: readonly InjectionRecord[];
}

const UNCHANGED: Admission = { answer: { allowed: true }, injections: [] };

/**
 * The answer to an admission request: should it be changed, may the pod claim what it claims, what is the change.
 * Throws `SecretsError` for a pod that is to be rejected. Without a promise when everything is known (W-4).
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
    `the pod's metadata.namespace is ${quote(own)}, and the request is for namespace ${quote(requested)}: they ` +
      "must be the same",
  );
}

export interface MutatePodOptions extends PodClaimOptions {
  readonly mutator: Pick<Mutator, "computeChange">;
}

/**
 * What a pod that is being created lacks of the secrets it asks for, if it may have them; what it will refer to is
 * written then. Throws `SecretsError` for one that is to be rejected. Without a promise when everything is known.
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
