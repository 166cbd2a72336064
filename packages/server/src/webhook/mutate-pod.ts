import { type Awaitable, whenKnown } from "@flyte-secrets/core";
import type { MutateOptions, Mutator, PodChange } from "@flyte-secrets/inject";
import type { PodCreation, ScopeGuard } from "./scope-guard.ts";

export interface MutatePodOptions {
  readonly mutator: Pick<Mutator, "changeOf">;
  readonly scopeGuard: ScopeGuard;
  /** Whether a refused claim is only warned of: `webhook.scopeBinding.mode: warn`. */
  readonly warnOnly: boolean;
}

/**
 * What a pod that is being created lacks of the secrets it asks for, if it may have them; what it will refer to is written then.
 * Throws `SecretsError` for one that is to be rejected. Without a promise when everything is known.
 */
export function mutatePod(
  creation: PodCreation,
  { mutator, scopeGuard, warnOnly }: MutatePodOptions,
  { dryRun, signal }: Pick<MutateOptions, "dryRun" | "signal"> = {},
): Awaitable<PodChange> {
  const { pod, namespace } = creation;
  const refusal = scopeGuard(creation);
  const refusedClaim = warnOnly ? undefined : refusal;
  const change = mutator.changeOf(pod, { namespace, dryRun, signal, refusedClaim });
  if (!warnOnly || refusal === undefined) return change;
  return whenKnown(change, (change) => {
    const isScoped = change.changed && change.injections.some(({ level }) => level !== undefined);
    return isScoped ? { ...change, warnings: [...change.warnings, refusal] } : change;
  });
}
