import type { MutateOptions, Mutation, Mutator } from "@flyte-secrets/inject";
import type { PodCreation, ScopeGuard } from "./scope-guard.ts";

export interface MutatePodOptions {
  readonly mutator: Mutator;
  readonly scopeGuard: ScopeGuard;
  /** Whether a refused claim is only warned of: `webhook.scopeBinding.mode: warn`. */
  readonly warnOnly: boolean;
}

/** Gives a pod that is being created its secrets, if it may have them. Throws `SecretsError` for one that is to be rejected. */
export async function mutatePod(
  creation: PodCreation,
  { mutator, scopeGuard, warnOnly }: MutatePodOptions,
  call: Pick<MutateOptions, "dryRun" | "signal"> = {},
): Promise<Mutation> {
  const { pod, namespace } = creation;
  const refusal = scopeGuard(creation);
  const refusedClaim = warnOnly ? undefined : refusal;
  const mutation = await mutator.mutate(pod, { ...call, namespace, ...(refusedClaim && { refusedClaim }) });
  if (!mutation.changed || refusal === undefined) return mutation;
  const isScoped = mutation.injections.some(({ level }) => level !== undefined);
  return isScoped ? { ...mutation, warnings: [...mutation.warnings, refusal] } : mutation;
}
