import { isSecretsError, nearestName, SecretsError } from "@flyte-secrets/core";
import { Secret, type SecretsClient } from "@flyte-secrets/sdk/remote";
import { describeScope, isSameScope, type SecretCommandOptions, scopeFlags } from "../options/secret-options.ts";
import { surveySecrets } from "./list-secrets.ts";

export interface ExpectedSecret extends SecretReference {
  readonly exists: boolean;
}

/**
 * Checks the existence of a secret before the user is asked for a value. Throws `not_found`, with the scopes that have
 * it, or `already_exists`. A caller who may write but not read gets this error from the write.
 */
export async function assertExpectation({ exists, ...secret }: ExpectedSecret): Promise<void> {
  if ((await secretExists(secret)) === !exists) throw await unexpected(secret, exists);
}

/** Runs a call and replaces its `not_found` or `already_exists` by the error of {@link assertExpectation}. */
export async function withExpectation<T>({ exists, ...secret }: ExpectedSecret, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (isSecretsError(error, exists ? "not_found" : "already_exists")) throw await unexpected(secret, exists);
    throw error;
  }
}

/** Whether the secret exists; undefined where this user may not read it. */
export async function secretExists({ name, options, client }: SecretReference): Promise<boolean | undefined> {
  try {
    await Secret.get(name, { client, clusterPool: options.clusterPool });
    return true;
  } catch (error) {
    if (isSecretsError(error, "not_found")) return false;
    if (isSecretsError(error, "call_refused") || isSecretsError(error, "unimplemented")) return undefined;
    throw error;
  }
}

async function unexpected(secret: SecretReference, exists: boolean): Promise<SecretsError> {
  return exists ? await secretNotFound(secret) : alreadyThere(secret.name, secret.options);
}

function alreadyThere(name: string, options: SecretCommandOptions): SecretsError {
  const scope = options.clusterPool ? `--cluster-pool ${options.clusterPool}` : scopeFlags(options);
  const remedy = ["flyte-secrets update secret", name, scope].filter((word) => word !== "").join(" ");
  return new SecretsError(
    "already_exists",
    `secret ${name} already exists (${describeScope(options)}); to give it a new value: ${remedy}`,
  );
}

export interface SecretReference {
  readonly name: string;
  readonly options: SecretCommandOptions;
  readonly client: SecretsClient;
}

/** Places that a message names. */
const MAX_PLACES = 3;

/** The `not_found` for a secret, with other scopes that have one of its name, or the nearest name at its scope. */
export async function secretNotFound({ name, options, client }: SecretReference): Promise<SecretsError> {
  const what = `secret ${name} not found (${describeScope(options)})`;
  const all = options.clusterPool ? [] : await surveySecrets(client);
  return new SecretsError("not_found", `${what}${hint(name, all, options)}`);
}

function hint(name: string, all: readonly Secret[], scope: SecretCommandOptions): string {
  const places = all.filter((secret) => secret.name === name);
  if (places.length > 0) {
    const named = places.slice(0, MAX_PLACES).map((place) => scopeFlags(place) || "global scope (no -p, no -d)");
    const more = places.length - named.length;
    return `; it is at ${named.join(", ")}${more > 0 ? ` and ${more} more: get secret ${name} --all-scopes` : ""}`;
  }
  const here = all.filter((secret) => isSameScope(secret, scope)).map((secret) => secret.name);
  const near = nearestName(name, here);
  return near === undefined ? "" : `; did you mean ${near}?`;
}
