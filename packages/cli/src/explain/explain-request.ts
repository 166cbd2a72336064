import type { InjectContext, SecretRequest } from "@flyte-secrets/core";
import type { RecordedManager } from "./recorded-managers.ts";

/** One place where a manager looked, and whether the secret was there. */
export interface Place {
  /** `project`, `domain` or `global` scope; `variable` or `file`. */
  readonly kind: string;
  /** The encoded id, or the variable's or file's name. */
  readonly name: string;
  readonly found: boolean;
}

/** What one secret manager makes of a request. */
export type Explanation =
  | { readonly manager: string; readonly outcome: "serves"; readonly places: readonly Place[] }
  | { readonly manager: string; readonly outcome: "passes"; readonly places: readonly Place[]; readonly reason: string }
  | { readonly manager: string; readonly outcome: "not asked" };

/**
 * Asks the managers in order, as the mutator does, and tells where each looked. Those after the one that serves the request
 * are not asked. A backend that is broken throws, as it would reject a pod.
 */
export async function explainRequest(
  request: SecretRequest,
  managers: readonly RecordedManager[],
  context: InjectContext,
): Promise<Explanation[]> {
  const explanations: Explanation[] = [];
  for (const { injector, places } of managers) {
    const manager = injector.name;
    if (explanations.some(({ outcome }) => outcome === "serves")) {
      explanations.push({ manager, outcome: "not asked" });
      continue;
    }
    const injection = await injector.inject(request, context);
    explanations.push(
      injection.injected
        ? { manager, outcome: "serves", places }
        : { manager, outcome: "passes", places, reason: injection.reason },
    );
  }
  return explanations;
}
