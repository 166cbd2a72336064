import type { GroupLookup } from "@flyte-secrets/core";
import type { Injector } from "./injector.ts";
import { injectValue, validateRequest } from "./value-injection.ts";

export interface GroupInjectorOptions {
  readonly lookup: GroupLookup;
}

/**
 * The Embedded manager's second lookup, for backends that keep secrets by group (AWS): reads the key from the secret
 * that has the request's group as its name. It follows Embedded, and is a manager of its own so that groups can be
 * bound to namespaces.
 */
export function createGroupInjector({ lookup }: GroupInjectorOptions): Injector {
  return {
    name: "Embedded by group",
    refersTo: ({ group }) => (group === "" ? { kind: "nothing" } : { kind: "group", group }),
    async inject(request, { variables, signal }) {
      const { group, key } = request;
      if (group === "") return { injected: false, reason: "the request names no group" };
      const reason = validateRequest(request);
      if (reason !== undefined) return { injected: false, reason };
      const result = await lookup.findInGroup(group, key, signal ? { signal } : {});
      if (!result.found) return { injected: false, reason: result.reason };
      return injectValue({ request, variables, source: { kind: "value", value: result.value, label: result.label } });
    },
  };
}
