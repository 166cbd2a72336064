import type { Injector } from "@flyte-secrets/core";

/**
 * `webhook.groupBinding`: which groups pods of a namespace may name. `*` stands for all namespaces that are not listed; a
 * group may end with `*`, which stands for any rest.
 */
export type GroupBinding = Readonly<Record<string, readonly string[]>>;

/**
 * A secret manager that doesn't serve groups which the pod's namespace may not name; the next manager is then asked. A
 * namespace that `binding` says nothing of may name any. Embedded must not be bound: it doesn't look at the group.
 */
export function bindGroups(manager: Injector, binding: GroupBinding): Injector {
  const namespaces = new Map(Object.entries(binding));
  if (namespaces.size === 0) return manager;
  return {
    name: manager.name,
    inject(request, context) {
      const allowed = namespaces.get(context.namespace) ?? namespaces.get("*");
      if (request.group === "" || allowed === undefined || allowed.some((pattern) => matches(request.group, pattern))) {
        return manager.inject(request, context);
      }
      const reason = `group "${request.group}" is not among those that webhook.groupBinding allows in namespace "${context.namespace}"`;
      return { injected: false, reason };
    },
  };
}

function matches(group: string, pattern: string): boolean {
  return pattern.endsWith("*") ? group.startsWith(pattern.slice(0, -1)) : group === pattern;
}
