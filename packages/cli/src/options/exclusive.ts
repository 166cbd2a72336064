import { SecretsError } from "@flyte-secrets/core";

/** Throws `usage`, naming both, when more than one of these options was given. Keys are flags as users write them. */
export function refuseTogether(given: Readonly<Record<string, unknown>>): void {
  const [first, second] = givenFlags(given);
  if (second !== undefined) throw new SecretsError("usage", `${first} cannot be used with ${second}`);
}

/** Throws `usage` when one of these options was given without `needed`, the flag that gives it a meaning. */
export function requireFor(needed: string, given: Readonly<Record<string, unknown>>): void {
  const [first] = givenFlags(given);
  if (first !== undefined) throw new SecretsError("usage", `${first} needs ${needed}`);
}

/** The flags among `given` that have a value: not undefined and not false. */
export function givenFlags(given: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(given).filter((flag) => given[flag] !== undefined && given[flag] !== false);
}
