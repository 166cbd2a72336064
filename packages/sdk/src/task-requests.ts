import { quote, type SecretRequest, SecretsError, sharedVariable } from "@flyte-secrets/core";
import { describe } from "./check-fields.ts";
import { Secret } from "./secret.ts";

/** The two forms in which a task or workflow declares its secrets. Both may be used together. */
export interface SecretDeclarations {
  /** Flyte 2's form: a key, a Secret, or a list of these. */
  readonly secrets?: string | Secret | readonly (string | Secret)[] | undefined;
  /** flytekit's form: requests as they are sent. */
  readonly secretRequests?: readonly Secret[] | undefined;
}

/**
 * Returns the requests of the declarations, in order and without duplicates. Throws `invalid_argument` for a secret
 * that breaks a rule, and for two secrets in one variable as far as their requests show it.
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

/** The object may come from another copy of this package, so that its methods are checked, not its class. */
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
 * Returns the requests of a task that is called in a workflow: the inherited ones, then its own, without duplicates. An
 * own request replaces an inherited one with the same group and key, or with the same variable: a pod has room for one.
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
