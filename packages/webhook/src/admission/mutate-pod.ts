import { andThen, type MaybePromise } from "@flyte-secrets/core";
import type { MutateOptions, Mutator, PodChange } from "@flyte-secrets/inject";
import { claimOf, type PodClaimOptions } from "../binding/pod-claim.ts";
import type { PodCreation } from "../binding/scope-guard.ts";

export interface MutatePodOptions extends PodClaimOptions {
  readonly mutator: Pick<Mutator, "computeChange">;
}

/**
 * What a pod that is being created lacks of the secrets it asks for, if it may have them; what it will refer to is written then.
 * Throws `SecretsError` for one that is to be rejected. Without a promise when everything is known.
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
