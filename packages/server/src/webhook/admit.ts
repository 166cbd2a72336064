import { parsePod } from "@flyte-secrets/core";
import type { InjectionRecord, Mutator } from "@flyte-secrets/inject";
import type { AdmissionAnswer, AdmissionRequest } from "./admission-review.ts";
import type { ScopeGuard } from "./scope-guard.ts";

export interface AdmitOptions {
  readonly mutator: Mutator;
  readonly scopeGuard: ScopeGuard;
  /** Whether a refused claim is only warned of: `webhook.scopeBinding.mode: warn`. */
  readonly warnOnly: boolean;
}

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
export async function admit(request: AdmissionRequest, options: AdmitOptions, signal: AbortSignal): Promise<Admission> {
  if (!request.createsPod) return UNCHANGED;
  const pod = parsePod(request.object);
  const namespace = pod.metadata?.namespace || request.namespace;
  const refusal = options.scopeGuard({ pod, namespace, creator: request.creator });

  const { dryRun } = request;
  const refusedClaim = options.warnOnly ? undefined : refusal;
  const mutation = await options.mutator.mutate(pod, {
    namespace,
    dryRun,
    signal,
    ...(refusedClaim && { refusedClaim }),
  });
  if (!mutation.changed) return UNCHANGED;

  const { patchText, injections } = mutation;
  const isScoped = refusal !== undefined && injections.some(({ level }) => level !== undefined);
  const warnings = isScoped ? [...mutation.warnings, refusal] : mutation.warnings;
  return { answer: { allowed: true, patchText, warnings }, injections };
}
