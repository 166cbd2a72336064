import { isInScope, type MaybePromise, type SecretId, SecretsError } from "@flyte-secrets/core";
import type { Claim } from "@flyte-secrets/inject";
import type { PodCreation, Refusal, ScopeGuard } from "./scope-guard.ts";

export interface PodClaimOptions {
  /** Undefined: any pod may claim any scope. */
  readonly scopeGuard: ScopeGuard | undefined;
  /** Whether a refused claim is only warned of: `webhook.scopeBinding.mode: warn`. */
  readonly warnOnly: boolean;
  /** Called once for each pod whose claim is refused and that asks for a secret of a scope. */
  readonly onRefused?: ((refused: RefusedClaim) => void) | undefined;
}

/** A claim that is refused, or would be. */
export interface RefusedClaim {
  readonly creation: PodCreation;
  readonly refusal: Refusal;
  /** Whether the pod was let in all the same. */
  readonly warnOnly: boolean;
}

/**
 * The claim of a pod that is to be created; undefined where any pod may claim any scope. As the scope guard, mostly
 * without a promise (W-10).
 */
export function claimOf(creation: PodCreation, options: PodClaimOptions): MaybePromise<PodClaim | undefined> {
  const refusal = options.scopeGuard?.(creation);
  if (refusal instanceof Promise) return refusal.then((known) => new PodClaim(creation, known, options));
  return options.scopeGuard && new PodClaim(creation, refusal, options);
}

/**
 * The claim of one pod: what the scope guard says of its labels, acted on only when a secret of a scope is asked for.
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

  /** Of a pod that was let in all the same, why it wouldn't have been. */
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
