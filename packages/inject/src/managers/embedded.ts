import { andThen, type ScopeLookup, type SecretRequest, type SecretValue } from "@flyte-secrets/core";
import type { InjectContext, Injection, Injector } from "./injector.ts";
import { type FoundSecret, findForPod, sourceOf } from "./pod-scope.ts";
import { injectValue, validateRequest } from "./value-injection.ts";

export interface EmbeddedInjectorOptions {
  readonly lookup: ScopeLookup;
}

/**
 * The secret manager that reads values itself: looks the key up at the scopes that the pod's labels name, narrowest
 * first, and passes the value to the delivery. It ignores the request's group. For the same request object and the same
 * value it returns the same injection object (I-16, I-17).
 */
export function createEmbeddedInjector({ lookup }: EmbeddedInjectorOptions): Injector {
  const here = memoizeInjections();
  const elsewhere = memoizeInjections();
  return {
    name: "Embedded",
    refersTo: (request) => (validateRequest(request) === undefined ? SCOPE : NOTHING),
    inject(request, context) {
      const reason = validateRequest(request);
      if (reason !== undefined) return { injected: false, reason };
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

/** Everything that an injection is made of. */
interface InjectionInput {
  readonly request: SecretRequest;
  readonly result: FoundSecret;
  readonly context: InjectContext;
}

/** An injection, with the part of its input that isn't a key of the cache. */
interface CachedInjection extends Pick<FoundSecret, "id">, Pick<InjectContext, "variables"> {
  readonly injection: Injection;
}

/** Caches {@link makeInjection} by value and request, for as long as somebody else refers to both. */
function memoizeInjections(): (one: InjectionInput) => Injection {
  const byValue = new WeakMap<SecretValue, WeakMap<SecretRequest, CachedInjection>>();
  return (one) => {
    const { request, result, context } = one;
    const byRequest = byValue.get(result.value) ?? new WeakMap<SecretRequest, CachedInjection>();
    const known = byRequest.get(request);
    if (known?.id === result.id && known.variables === context.variables) return known.injection;
    const injection = makeInjection(one);
    byRequest.set(request, { id: result.id, variables: context.variables, injection });
    byValue.set(result.value, byRequest);
    return injection;
  };
}

function makeInjection({ request, result, context }: InjectionInput): Injection {
  const found = { id: result.id, level: result.level };
  return injectValue({ request, source: sourceOf(result, context), variables: context.variables, found });
}
