import {
  type Injector,
  MountRequirement,
  SECRETS_DIRECTORY,
  type SecretLookup,
  type SecretRequest,
  setVariable,
} from "@flyte-secrets/core";
import { findForPod, sourceOf } from "./find-for-pod.ts";
import { unrecognizedMount } from "./mount-requirement.ts";
import { prefixEdit, valueEdits } from "./value-edits.ts";
import { variableNames } from "./variable-names.ts";
import { variableFault } from "./variable-value.ts";

export interface EmbeddedInjectorOptions {
  readonly lookup: SecretLookup;
}

/**
 * The secret manager that has the values itself (spec page 4, Embedded): looks the key up at the scopes that the pod's
 * labels name, narrowest first, and hands the value to the delivery. The request's group does not count.
 */
export function createEmbeddedInjector({ lookup }: EmbeddedInjectorOptions): Injector {
  return {
    name: "Embedded",
    async inject(request, context) {
      const { key, envVar } = request;
      const fault = requestFault(request);
      if (fault !== undefined) return { injected: false, reason: fault };
      const result = await findForPod(lookup, key, context);
      if (!result.found) return { injected: false, reason: result.reason };

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
    },
  };
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
