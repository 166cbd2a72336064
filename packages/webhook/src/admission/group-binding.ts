import { quote } from "@flyte-secrets/core";
import type { Reference } from "@flyte-secrets/inject";

/**
 * `webhook.groupBinding`: which groups pods of a namespace may name. `*` stands for all namespaces that are not listed; a
 * group may end with `*`, which stands for any rest.
 */
export type GroupBinding = Readonly<Record<string, readonly string[]>>;

/** What a group names; for a Kubernetes Secret its name. */
export type GroupReference = Extract<Reference, { kind: "group" | "variable" }>;

/** Why pods of a namespace may not have what a request comes to; undefined when they may. */
export type GroupRule = (reference: GroupReference, namespace: string) => string | undefined;

/** A namespace that `binding` says nothing of may name any group. */
export function createGroupRule(binding: GroupBinding): GroupRule {
  const namespaces = new Map(Object.entries(binding));
  return (reference, namespace) => {
    const allowed = namespaces.get(namespace) ?? namespaces.get("*");
    if (allowed === undefined) return undefined;
    const { group } = reference;
    const whole = reference.kind === "group" ? (reference.whole ?? group) : group;
    if (!allowed.some((pattern) => matches(group, pattern) || matches(whole, pattern))) {
      return `group ${quote(group)} is not among those that webhook.groupBinding allows in namespace ${quote(namespace)}`;
    }
    const unclear = reference.kind === "group" ? reference.unclear : otherGroup(reference.name, allowed);
    return unclear && `webhook.groupBinding can't tell for namespace ${quote(namespace)}: ${unclear}`;
  };
}

function matches(group: string, pattern: string): boolean {
  return pattern.endsWith("*") ? group.startsWith(pattern.slice(0, -1)) : group === pattern;
}

/** A group that isn't allowed and comes to the same variable: each `_` in it may be the border between group and key. */
function otherGroup(variable: string, allowed: readonly string[]): string | undefined {
  let anyFrom = Number.POSITIVE_INFINITY;
  const exact = new Set<number>();
  for (const pattern of allowed) {
    const begin = pattern.replace(/\*$/, "").toUpperCase();
    if (!variable.startsWith(begin)) continue;
    if (pattern.endsWith("*")) anyFrom = Math.min(anyFrom, begin.length);
    else exact.add(begin.length);
  }
  for (let at = variable.indexOf("_", 1); at >= 0; at = variable.indexOf("_", at + 1)) {
    if (at >= anyFrom || exact.has(at) || at === variable.length - 1) continue;
    const other = quote(variable.slice(0, at));
    return `the variable of this group and key is that of group ${other} as well, which is not allowed there`;
  }
  return undefined;
}
