import type { ScopeOptions } from "../options/common-options.ts";

/** A scope as the options that name it: `-p shop -d production`; `(no options)` is global. */
export function scopeOptions({ project, domain }: ScopeOptions): string {
  return [...(project ? ["-p", project] : []), ...(domain ? ["-d", domain] : [])].join(" ");
}

/** Whether both are the same scope. */
export function isSameScope(one: ScopeOptions, other: ScopeOptions): boolean {
  return (one.project ?? "") === (other.project ?? "") && (one.domain ?? "") === (other.domain ?? "");
}
