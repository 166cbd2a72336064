import type { GroupLookup } from "@flyte-secrets/core";
import type { Injector } from "./injector.ts";
import { findFault, injectValue } from "./value-injection.ts";

export interface GroupInjectorOptions {
  readonly lookup: GroupLookup;
}

/**
 * Embedded's second way, with a manager that keeps secrets by group (AWS): the key in the secret that is called as the
 * request's group. It comes after Embedded, and is one of its own so that groups can be bound to namespaces.
 */
export function createGroupInjector({ lookup }: GroupInjectorOptions): Injector {
  return {
    name: "Embedded by group",
    refersTo: ({ group }) => (group === "" ? { kind: "nothing" } : { kind: "group", group }),
    async inject(request, { variables, signal }) {
      const { group, key } = request;
      if (group === "") return { injected: false, reason: "the request names no group" };
      const fault = findFault(request);
      if (fault !== undefined) return { injected: false, reason: fault };
      const result = await lookup.findInGroup(group, key, signal ? { signal } : {});
      if (!result.found) return { injected: false, reason: result.reason };
      return injectValue({ request, variables, source: { kind: "value", value: result.value, label: result.label } });
    },
  };
}
