import { MountRequirement, type SecretRequest } from "@flyte-secrets/core";

/**
 * The variable that two requests want for different things, as far as the requests alone say so: which manager serves
 * them, and how variables are called there, is known where the pod is made, and what shows only there is refused there.
 * Undefined when they go together.
 */
export function sharedVariable(one: SecretRequest, other: SecretRequest): string | undefined {
  const variable = variableOf(one);
  if (variable === undefined || variable.place !== variableOf(other)?.place) return undefined;
  // Of one key, the group decides for some managers only.
  const isSame = one.key === other.key && !isValueAndPath(one, other) && !isValueAndPath(other, one);
  return isSame ? undefined : variable.name;
}

/**
 * `place` tells variables apart. Without a name of their own, all managers put the group or nothing before the key, in
 * upper case.
 */
function variableOf(request: SecretRequest): { readonly name: string; readonly place: string } | undefined {
  const { envVar, group, key, mountRequirement } = request;
  if (envVar !== "") return { name: envVar, place: envVar };
  if (mountRequirement !== MountRequirement.ENV_VAR) return undefined;
  const place = JSON.stringify([group.toUpperCase(), key.toUpperCase()]);
  return { name: `of ${key.toUpperCase()}`, place };
}

/** Whether a variable is to hold the value for one and the path of a file for the other. */
function isValueAndPath(one: SecretRequest, other: SecretRequest): boolean {
  return one.mountRequirement === MountRequirement.ENV_VAR && other.mountRequirement === MountRequirement.FILE;
}
