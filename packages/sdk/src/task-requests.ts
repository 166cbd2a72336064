import { MountRequirement, quote, type SecretRequest, SecretsError } from "@flyte-secrets/core";
import { describe } from "./check-fields.ts";
import { Secret } from "./secret.ts";

/** The two ways in which a task or workflow says which secrets it needs; both may be used together. */
export interface SecretDeclarations {
  /** Flyte 2's form: a key, a Secret, or a list of both. */
  readonly secrets?: string | Secret | readonly (string | Secret)[] | undefined;
  /** flytekit's form: requests as they go over the wire. */
  readonly secretRequests?: readonly Secret[] | undefined;
}

/**
 * The requests that the declarations make, in order, each once. `invalid_argument` for a secret that breaks a rule, and
 * for two in one variable, where the requests show it.
 */
export function toSecretRequests(declarations: SecretDeclarations): readonly SecretRequest[] {
  const secrets = [declarations.secrets ?? []].flat();
  const requests = dropRepeated([
    ...secrets.map((secret) => toSecret("secrets", secret).toRequest()),
    ...[declarations.secretRequests ?? []].flat().map((secret) => toSecret("secretRequests", secret).toExactRequest()),
  ]);
  for (const [at, request] of requests.entries()) {
    for (const earlier of requests.slice(0, at)) checkTogether(earlier, request);
  }
  return requests;
}

/** Another copy of this package may have made it: what counts is what it can do. */
function toSecret(field: keyof SecretDeclarations, given: string | Secret): Secret {
  if (typeof given === "string" && field === "secrets") return new Secret({ key: given });
  if (typeof given !== "string" && typeof given?.toRequest === "function") return given;
  const takes = field === "secrets" ? "keys and Secrets" : "Secrets";
  const key = typeof given === "string" ? given : given?.key;
  const example = `new Secret({ key: ${quote(typeof key === "string" ? key : "my-key")} })`;
  throw new SecretsError("invalid_argument", `${field} takes ${takes}, got ${describe(given)}: write ${example}.`);
}

function checkTogether(one: SecretRequest, other: SecretRequest): void {
  const variable = sharedVariable(one, other);
  if (variable === undefined) return;
  throw new SecretsError(
    "invalid_argument",
    `Secrets ${nameOf(one)} and ${nameOf(other)} would both be the variable ${variable}, which holds only one: ` +
      "give one of them another asEnvVar (envVar), or mount it as a file.",
  );
}

const nameOf = ({ group, key }: SecretRequest): string => quote([group, key].filter(Boolean).join("/"));

/**
 * What a task called in a workflow asks for: the inherited requests, then its own, each once. An own request wins over
 * an inherited one for the same group and key, and over one that would be the same variable: a pod has no place for
 * both.
 */
export function inheritRequests(
  own: readonly SecretRequest[],
  inherited: readonly SecretRequest[],
): readonly SecretRequest[] {
  const owned = new Set(own.map(groupAndKey));
  const isReplaced = (request: SecretRequest) =>
    owned.has(groupAndKey(request)) || own.some((mine) => sharedVariable(request, mine) !== undefined);
  return dropRepeated([...inherited.filter((request) => !isReplaced(request)), ...own]);
}

function dropRepeated(requests: readonly SecretRequest[]): readonly SecretRequest[] {
  const identity = (request: SecretRequest): string =>
    JSON.stringify([groupAndKey(request), request.groupVersion, request.mountRequirement, request.envVar]);
  return [...new Map(requests.map((request) => [identity(request), request])).values()];
}

const groupAndKey = (request: SecretRequest): string => JSON.stringify([request.group, request.key]);

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
