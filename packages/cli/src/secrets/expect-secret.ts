import { isSecretsError, nearestName, SecretsError } from "@flyte-secrets/core";
import { Secret, type SecretsClient } from "@flyte-secrets/sdk/remote";
import { describeScope, isSameScope, type SecretCommandOptions, scopeOptions } from "../options/secret-options.ts";
import { surveySecrets } from "./list-secrets.ts";

export interface ExpectedSecret extends MissingSecret {
  readonly isThere: boolean;
}

/**
 * Asks the service before anybody is asked for a value: `not_found` for a secret that should be there, with where else it
 * is, and `already_exists` for one that shouldn't. A caller who may write but not read learns it from the write.
 */
export async function expectSecret({ isThere, ...secret }: ExpectedSecret): Promise<void> {
  if ((await isSecretThere(secret)) === !isThere) throw await unexpected(secret, isThere);
}

/** Runs a call and says of a secret that is, or isn't, there what {@link expectSecret} says. */
export async function orExpected<T>({ isThere, ...secret }: ExpectedSecret, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (isSecretsError(error, isThere ? "not_found" : "already_exists")) throw await unexpected(secret, isThere);
    throw error;
  }
}

/** Undefined where the service doesn't say. */
export async function isSecretThere({ name, options, client }: MissingSecret): Promise<boolean | undefined> {
  try {
    await Secret.get(name, { client, clusterPool: options.clusterPool });
    return true;
  } catch (error) {
    if (isSecretsError(error, "not_found")) return false;
    if (isSecretsError(error, "call_refused") || isSecretsError(error, "unimplemented")) return undefined;
    throw error;
  }
}

async function unexpected(secret: MissingSecret, isThere: boolean): Promise<SecretsError> {
  return isThere ? await missingSecret(secret) : alreadyThere(secret.name, secret.options);
}

function alreadyThere(name: string, options: SecretCommandOptions): SecretsError {
  const scope = options.clusterPool ? `--cluster-pool ${options.clusterPool}` : scopeOptions(options);
  const remedy = ["flyte-secrets update secret", name, scope].filter((word) => word !== "").join(" ");
  return new SecretsError(
    "already_exists",
    `secret ${name} already exists (${describeScope(options)}); to give it a new value: ${remedy}`,
  );
}

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
