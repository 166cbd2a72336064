import type { TokenCredential } from "@azure/identity";
import type { KeyVaultSecret, SecretClient, SecretClientOptions } from "@azure/keyvault-secrets";
import { importOptional, isSecretsError, type SecretId, SecretsError, type SecretValue } from "@flyte-secrets/core";
import { readAsEmpty, unavailable, unreadable } from "../failures.ts";
import { type ReadOptions, readEach, type SecretProvider } from "../secret-provider.ts";
import { decodeAzureValue, encodeAzureName } from "./encoding.ts";
import { NAME, toFailure } from "./failures.ts";

export interface AzureOptions {
  /** Such as https://NAME.vault.azure.net. */
  readonly vaultURI: string;
}

export interface AzureClientOptions extends SecretClientOptions {
  /** Default: `DefaultAzureCredential`, which finds workload identity among others. */
  readonly credential?: TokenCredential;
}

/**
 * Azure Key Vault, current version. Names and values are in Flyte's encoding. `client` sets options of the SDK, for
 * tests.
 */
export async function openAzure(
  { vaultURI }: AzureOptions,
  { credential, ...client }: AzureClientOptions = {},
): Promise<SecretProvider> {
  if (vaultURI === "") {
    throw new SecretsError(
      "invalid_config",
      "webhook.embeddedSecretManagerConfig.azureConfig.vaultURI is not set: " +
        "write the vault's, such as https://NAME.vault.azure.net",
    );
  }
  const load = () => Promise.all([import("@azure/keyvault-secrets"), import("@azure/identity")]);
  const [{ SecretClient }, { DefaultAzureCredential }] = await importOptional(load, {
    neededBy: "webhook.embeddedSecretManagerConfig.type Azure",
    packages: ["@azure/keyvault-secrets@4", "@azure/identity@4"],
  });
  const vault = new SecretClient(vaultURI, credential ?? new DefaultAzureCredential(), {
    retryOptions: { maxRetries: 1, maxRetryDelayInMs: 500 },
    ...client,
  });
  return {
    name: NAME,
    namesOf,
    read: (names, call) => readEach(names, (name) => readOne(vault, name, call)),
  };
}

/** Empty for an id that is too long for Key Vault. */
function namesOf(id: SecretId): readonly string[] {
  try {
    return [encodeAzureName(id)];
  } catch (error) {
    if (isSecretsError(error, "invalid_argument")) return [];
    throw error;
  }
}

async function readOne(vault: SecretClient, name: string, { signal }: ReadOptions): Promise<SecretValue | undefined> {
  try {
    return toValue(name, await vault.getSecret(name, { abortSignal: signal }));
  } catch (error) {
    if (error instanceof SecretsError) throw error;
    const failure = toFailure(name, error);
    if (failure === "absent") return undefined;
    throw failure;
  }
}

function toValue(name: string, secret: KeyVaultSecret): SecretValue {
  // Key Vault ignores the case of names.
  if (secret.name.toLowerCase() !== name.toLowerCase())
    throw unavailable(NAME, name, "the response is for another secret");
  if (secret.value === undefined) throw readAsEmpty(NAME, name);
  try {
    return decodeAzureValue(secret.value);
  } catch (error) {
    throw isSecretsError(error, "value_unreadable") ? unreadable(NAME, name, error.message) : error;
  }
}
