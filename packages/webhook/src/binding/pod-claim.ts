import { isInScope, type MaybePromise, type SecretId, SecretsError } from "@flyte-secrets/core";
import type { Claim } from "@flyte-secrets/inject";
import type { PodCreation, Refusal, ScopeGuard } from "./scope-guard.ts";

export interface PodClaimOptions {
  /** Undefined: any pod may claim any scope. */
  readonly scopeGuard: ScopeGuard | undefined;
  /** Whether a refused claim is only warned of: `webhook.scopeBinding.mode: warn`. */
  readonly warnOnly: boolean;
  /** Called once for each pod whose claim is refused and that requests a secret of a scope. */
  readonly onRefused?: ((refused: RefusedClaim) => void) | undefined;
}

/** A refused claim, or one that `mode: enforce` would refuse. */
export interface RefusedClaim {
  readonly creation: PodCreation;
  readonly refusal: Refusal;
  /** Whether the pod was admitted with a warning. */
  readonly warnOnly: boolean;
}

/**
 * Returns the claim of a pod; undefined if every pod may claim every scope. Like the scope guard, mostly without a
 * promise (W-10).
 */
export function claimOf(creation: PodCreation, options: PodClaimOptions): MaybePromise<PodClaim | undefined> {
  const refusal = options.scopeGuard?.(creation);
  if (refusal instanceof Promise) return refusal.then((known) => new PodClaim(creation, known, options));
  return options.scopeGuard && new PodClaim(creation, refusal, options);
}

/**
 * The claim of one pod: the scope guard's decision on its labels, which takes effect only when a secret of a scope is
 * requested.
 */
export class PodClaim implements Claim {
  readonly #creation: PodCreation;
  readonly #refusal: Refusal | undefined;
  readonly #options: Omit<PodClaimOptions, "scopeGuard">;
  #warned: Refusal | undefined;

  constructor(creation: PodCreation, refusal: Refusal | undefined, options: Omit<PodClaimOptions, "scopeGuard">) {
    this.#creation = creation;
    this.#refusal = refusal;
    this.#options = options;
  }

  /** Why `mode: enforce` would have refused the pod; undefined if it would not. */
  get warning(): string | undefined {
    return this.#warned?.error.message;
  }

  check(id?: SecretId): void {
    const refusal = this.#refusal ?? (id && this.#refuseForeign(id));
    if (refusal === undefined || this.#warned !== undefined) return;
    const { warnOnly, onRefused } = this.#options;
    onRefused?.({ creation: this.#creation, refusal, warnOnly });
    if (!warnOnly) throw refusal.error;
    this.#warned = refusal;
  }

  #refuseForeign(id: SecretId): Refusal | undefined {
    const { organization: org = "", project = "", domain = "" } = this.#creation.pod.metadata?.labels ?? {};
    const isOwn = org !== "" && project !== "" && domain !== "" && isInScope({ org, project, domain }, id);
    if (isOwn) return undefined;
    const message =
      "the request's key is the id of a secret that is neither of the scope that the pod's labels organization, " +
      "project and domain name nor of a broader one: ask for it by its own name, in a pod of its project and domain";
    return { rule: "id", error: new SecretsError("claim_refused", message) };
  }
}
