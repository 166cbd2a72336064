import { andThen, type ScopeLookup, type SecretRequest, type SecretValue } from "@flyte-secrets/core";
import type { InjectContext, Injection, Injector } from "./injector.ts";
import { type Found, findForPod, sourceOf } from "./pod-scope.ts";
import { findFault, injectValue } from "./value-injection.ts";

export interface EmbeddedInjectorOptions {
  readonly lookup: ScopeLookup;
}

/**
 * The secret manager that has the values itself: looks the key up at the scopes that the pod's
 * labels name, narrowest first, and hands the value to the delivery. The request's group does not count. The same request that
 * comes to the same value gets the same injection (I-16, I-17).
 */
export function createEmbeddedInjector({ lookup }: EmbeddedInjectorOptions): Injector {
  const here = createMemory();
  const elsewhere = createMemory();
  return {
    name: "Embedded",
    refersTo: (request) => (findFault(request) === undefined ? SCOPE : NOTHING),
    inject(request, context) {
      const fault = findFault(request);
      if (fault !== undefined) return { injected: false, reason: fault };
      return andThen(findForPod(lookup, request.key, context), (result): Injection => {
        if (!result.found) return { injected: false, reason: result.reason };
        const memory = result.namespace === context.namespace ? here : elsewhere;
        return memory({ request, result, context });
      });
    },
  };
}

const SCOPE = { kind: "scope" } as const;
const NOTHING = { kind: "nothing" } as const;

/** A request, what was found for it, and for which pod. */
interface Case {
  readonly request: SecretRequest;
  readonly result: Found;
  readonly context: InjectContext;
}

/** An injection, and what it was made of beside request and value. */
interface Made extends Pick<Found, "id">, Pick<InjectContext, "variables"> {
  readonly injection: Injection;
}

/** {@link makeInjection}, remembering each injection as long as somebody else holds value and request. */
function createMemory(): (one: Case) => Injection {
  const byValue = new WeakMap<SecretValue, WeakMap<SecretRequest, Made>>();
  return (one) => {
    const { request, result, context } = one;
    const byRequest = byValue.get(result.value) ?? new WeakMap<SecretRequest, Made>();
    const known = byRequest.get(request);
    if (known?.id === result.id && known.variables === context.variables) return known.injection;
    const injection = makeInjection(one);
    byRequest.set(request, { id: result.id, variables: context.variables, injection });
    byValue.set(result.value, byRequest);
    return injection;
  };
}

function makeInjection({ request, result, context }: Case): Injection {
  const found = { id: result.id, level: result.level };
  return injectValue({ request, source: sourceOf(result, context), variables: context.variables, found });
}
