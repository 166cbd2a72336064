import type { VariableNaming } from "./pod/injector.ts";

/**
 * The variables that hold a value whose raw name is `name`. With `posix` naming a second one, in which every character
 * outside `A-Z`, `0-9` and `_` is `_`, unless that is the same; the raw one stays because flytekit looks for it.
 */
export function variableNames(name: string, { style }: VariableNaming): string[] {
  if (style === "raw") return [name];
  const posix = name.toUpperCase().replace(/[^A-Z0-9_]/g, "_");
  return posix === name ? [name] : [name, posix];
}
