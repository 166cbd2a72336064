import { parsePod } from "@flyte-secrets/core";
import type { InjectionRecord } from "@flyte-secrets/inject";
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
 * `SecretsError` for a pod that is to be rejected.
 */
export async function admit(
  request: AdmissionRequest,
  options: MutatePodOptions,
  signal: AbortSignal,
): Promise<Admission> {
  if (!request.createsPod) return UNCHANGED;
  const pod = parsePod(request.object);
  const namespace = pod.metadata?.namespace || request.namespace;
  const { creator, dryRun } = request;
  const mutation = await mutatePod({ pod, namespace, creator }, options, { dryRun, signal });
  if (!mutation.changed) return UNCHANGED;
  const { patchText, warnings, injections } = mutation;
  return { answer: { allowed: true, patchText, warnings }, injections };
}
