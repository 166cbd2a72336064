import {
  type InjectContext,
  type Injection,
  type Injector,
  MountRequirement,
  SECRETS_DIRECTORY,
  type SecretLookup,
  type SecretRequest,
  type SecretValue,
  setVariable,
} from "@flyte-secrets/core";
import { type Found, findForPod, sourceOf } from "./find-for-pod.ts";
import { unrecognizedMount } from "./mount-requirement.ts";
import { prefixEdit, valueEdits } from "./value-edits.ts";
import { variableNames } from "./variable-names.ts";
import { variableFault } from "./variable-value.ts";

export interface EmbeddedInjectorOptions {
  readonly lookup: SecretLookup;
}

/**
 * The secret manager that has the values itself (spec page 4, Embedded): looks the key up at the scopes that the pod's
 * labels name, narrowest first, and hands the value to the delivery. The request's group does not count. The same request that
 * comes to the same value gets the same injection.
 */
export function createEmbeddedInjector({ lookup }: EmbeddedInjectorOptions): Injector {
  const here = createMemory();
  const elsewhere = createMemory();
  return {
    name: "Embedded",
    async inject(request, context) {
      const fault = requestFault(request);
      if (fault !== undefined) return { injected: false, reason: fault };
      const result = await findForPod(lookup, request.key, context);
      if (!result.found) return { injected: false, reason: result.reason };
      const memory = result.namespace === context.namespace ? here : elsewhere;
      return memory({ request, result, context });
    },
  };
}

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
  const { key, envVar } = request;
  const source = sourceOf(result, context);
  const found = { id: result.id, level: result.level };
  if (request.mountRequirement === MountRequirement.FILE) {
    const pathEdits = envVar === "" ? [] : [setVariable(envVar, `${SECRETS_DIRECTORY}/${key}`)];
    return { injected: true, found, edits: [{ kind: "secretFile", file: key, source }, ...pathEdits] };
  }
  const standard = context.variables.prefix + key.toUpperCase();
  const names = envVar === "" ? variableNames(standard, context.variables) : [envVar];
  const valueFault = variableFault(result.value, key, names);
  if (valueFault !== undefined) return { injected: false, reason: valueFault };
  return { injected: true, found, edits: [prefixEdit(context), ...valueEdits(names, source)] };
}

function requestFault(request: SecretRequest): string | undefined {
  const { key, mountRequirement } = request;
  if (key === "") return "Embedded Secrets Webhook requires key to be set";
  switch (mountRequirement) {
    case MountRequirement.ANY:
    case MountRequirement.ENV_VAR:
      return undefined;
    case MountRequirement.FILE:
      // As in Kubernetes: such names belong to the kubelet's own links in a volume of files.
      return key === "." || key.startsWith("..") ? `key "${key}" can't be the name of a file` : undefined;
    default:
      return unrecognizedMount(request);
  }
}
