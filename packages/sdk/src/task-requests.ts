import type { SecretRequest } from "@flyte-secrets/core";
import { Secret } from "./secret.ts";

/** The two ways in which a task or workflow says which secrets it needs; both may be used together. */
export interface SecretDeclarations {
  /** Flyte 2's form: a key, a Secret, or a list of both. */
  readonly secrets?: string | Secret | readonly (string | Secret)[] | undefined;
  /** flytekit's form: requests as they go over the wire. */
  readonly secretRequests?: readonly Secret[] | undefined;
}

/** The requests that the declarations make, in order, each once. `invalid_argument` for a secret that breaks a rule. */
export function toSecretRequests(declarations: SecretDeclarations): readonly SecretRequest[] {
  const secrets = [declarations.secrets ?? []].flat();
  return dropRepeated([
    ...secrets.map((secret) => (typeof secret === "string" ? new Secret({ key: secret }) : secret).toRequest()),
    ...(declarations.secretRequests ?? []).map((secret) => secret.toExactRequest()),
  ]);
}

/**
 * What a task called in a workflow asks for: the inherited requests, then its own, each once. An own request wins over an
 * inherited one for the same group and key. The own ones come last because a later request replaces a variable that an
 * earlier one set (spec page 4): so the task's own wins there too.
 */
export function inheritRequests(
  own: readonly SecretRequest[],
  inherited: readonly SecretRequest[],
): readonly SecretRequest[] {
  const owned = new Set(own.map(groupAndKey));
  return dropRepeated([...inherited.filter((request) => !owned.has(groupAndKey(request))), ...own]);
}

function dropRepeated(requests: readonly SecretRequest[]): readonly SecretRequest[] {
  const identity = (request: SecretRequest): string =>
    JSON.stringify([groupAndKey(request), request.groupVersion, request.mountRequirement, request.envVar]);
  return [...new Map(requests.map((request) => [identity(request), request])).values()];
}

const groupAndKey = (request: SecretRequest): string => JSON.stringify([request.group, request.key]);
