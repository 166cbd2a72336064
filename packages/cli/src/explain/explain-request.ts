import type { SecretRequest } from "@flyte-secrets/core";
import type { InjectContext, Injector } from "@flyte-secrets/inject";
import { type InjectedThing, injectedThings, laterPlaces } from "./injected-things.ts";
import type { Place } from "./place.ts";

/** What one secret manager makes of a request. */
export type Explanation =
  | {
      readonly manager: string;
      readonly outcome: "serves";
      readonly places: readonly Place[];
      /** What comes into the pod's containers. */
      readonly injects: readonly InjectedThing[];
    }
  | { readonly manager: string; readonly outcome: "passes"; readonly places: readonly Place[]; readonly reason: string }
  | { readonly manager: string; readonly outcome: "not asked" };

export interface ExplainOptions {
  /** In the order in which they are asked. */
  readonly managers: readonly Injector[];
  readonly context: InjectContext;
  /** Where the managers looked since the last call. */
  readonly takePlaces: () => Place[];
}

/**
 * Asks the managers in order, as the mutator does, and tells where each looked and what it would do. Those after the one that
 * serves the request are not asked. A backend that is broken throws, as it would reject a pod.
 */
export async function explainRequest(
  request: SecretRequest,
  { managers, context, takePlaces }: ExplainOptions,
): Promise<Explanation[]> {
  const explanations: Explanation[] = [];
  let served = false;
  for (const injector of managers) {
    const manager = injector.name;
    if (served) {
      explanations.push({ manager, outcome: "not asked" });
      continue;
    }
    const injection = await injector.inject(request, context);
    const places = takePlaces();
    served = injection.injected;
    if (injection.injected) {
      const injects = injectedThings(injection);
      explanations.push({
        manager,
        outcome: "serves",
        places: [...places, ...laterPlaces(manager, injection)],
        injects,
      });
    } else explanations.push({ manager, outcome: "passes", places, reason: injection.reason });
  }
  return explanations;
}
