import { nearestName, SecretsError } from "@flyte-secrets/core";
import type { Secret, SecretsClient } from "@flyte-secrets/sdk/remote";
import { describeScope, type SecretCommandOptions } from "../options/secret-command-options.ts";
import { isSameScope, scopeOptions } from "./scope-words.ts";
import { surveySecrets } from "./survey.ts";

export interface MissingSecret {
  readonly name: string;
  readonly options: SecretCommandOptions;
  readonly client: SecretsClient;
}

/** Places that a message names. */
const MAX_PLACES = 3;

/** The `not_found` for a secret: it says where else there is one of that name, or which name at that scope is near to it. */
export async function missingSecret({ name, options, client }: MissingSecret): Promise<SecretsError> {
  const what = `secret ${name} not found (${describeScope(options)})`;
  const all = options.clusterPool ? [] : await surveySecrets(client);
  return new SecretsError("not_found", `${what}${hint(name, all, options)}`);
}

function hint(name: string, all: readonly Secret[], scope: SecretCommandOptions): string {
  const places = all.filter((secret) => secret.name === name);
  if (places.length > 0) {
    const named = places.slice(0, MAX_PLACES).map((place) => scopeOptions(place) || "global scope (no -p, no -d)");
    const more = places.length - named.length;
    return `; it is at ${named.join(", ")}${more > 0 ? ` and ${more} more: get secret ${name} --all-scopes` : ""}`;
  }
  const here = all.filter((secret) => isSameScope(secret, scope)).map((secret) => secret.name);
  const near = nearestName(name, here);
  return near === undefined ? "" : `; did you mean ${near}?`;
}
