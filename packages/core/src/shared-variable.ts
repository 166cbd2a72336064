import { MountRequirement, type SecretRequest } from "./secret-request.ts";

/**
 * Returns the variable that two requests use for different values; undefined if they are compatible. Only what the
 * requests themselves show is checked: the naming of variables can depend on the manager, which is known when the pod
 * is created, and conflicts that show only there are rejected there.
 */
export function sharedVariable(one: SecretRequest, other: SecretRequest): string | undefined {
  const variable = variableOf(one);
  if (variable === undefined || variable.place !== variableOf(other)?.place) return undefined;
  // For the same key, only some managers distinguish groups.
  const isSame = one.key === other.key && !isValueAndPath(one, other) && !isValueAndPath(other, one);
  return isSame ? undefined : variable.name;
}

/**
 * The variable of a request; `place` is equal for equal variables. Without a name of its own, every manager's variable
 * is the group or nothing, then the key, in upper case.
 */
function variableOf(request: SecretRequest): { readonly name: string; readonly place: string } | undefined {
  const { envVar, group, key, mountRequirement } = request;
  if (envVar !== "") return { name: envVar, place: envVar };
  if (mountRequirement !== MountRequirement.ENV_VAR) return undefined;
  const place = JSON.stringify([group.toUpperCase(), key.toUpperCase()]);
  return { name: `of ${key.toUpperCase()}`, place };
}

/** Whether one request wants the value in the variable and the other one the path of a file. */
function isValueAndPath(one: SecretRequest, other: SecretRequest): boolean {
  return one.mountRequirement === MountRequirement.ENV_VAR && other.mountRequirement === MountRequirement.FILE;
}
