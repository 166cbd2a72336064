import type { TokenCredential } from "@azure/identity";
import type { KeyVaultSecret, SecretClient, SecretClientOptions } from "@azure/keyvault-secrets";
import {
  decodeAzureValue,
  encodeAzureName,
  isSecretsError,
  type SecretId,
  SecretsError,
  type SecretValue,
} from "@flyte-secrets/core";
import {
  errorName,
  explainFailure,
  type ManagerHints,
  readAsEmpty,
  refused,
  unavailable,
  unreadable,
} from "./fetch-failures.ts";
import { type NamedBackend, type ReadOptions, readEach } from "./named-fetcher.ts";

const NAME = "Azure";

export interface AzureOptions {
  /** Such as https://NAME.vault.azure.net. */
  readonly vaultURI: string;
}

export interface AzureClientOptions extends SecretClientOptions {
  /** Default: what `DefaultAzureCredential` finds, such as workload identity. */
  readonly credential?: TokenCredential;
}

/**
 * Azure Key Vault, the current version: names and values in Flyte's encoding. `options` is for what the
 * configuration doesn't have.
 */
export async function openAzure(
  { vaultURI }: AzureOptions,
  { credential, ...options }: AzureClientOptions = {},
): Promise<NamedBackend> {
  if (vaultURI === "") {
    throw new SecretsError(
      "invalid_config",
      "webhook.embeddedSecretManagerConfig.azureConfig.vaultURI is not set: write the vault's, such as https://NAME.vault.azure.net",
    );
  }
  const [{ SecretClient }, { DefaultAzureCredential }] = await Promise.all([
    import("@azure/keyvault-secrets"),
    import("@azure/identity"),
  ]);
  const vault = new SecretClient(vaultURI, credential ?? new DefaultAzureCredential(), {
    retryOptions: { maxRetries: 1, maxRetryDelayInMs: 500 },
    ...options,
  });
  return {
    name: NAME,
    namesOf,
    read: (names, call) => readEach(names, (name) => readOne(vault, name, call)),
  };
}

/** None for an id that is longer than Key Vault takes. */
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
  // Key Vault takes names in any case and answers with one of them.
  if (secret.name.toLowerCase() !== name.toLowerCase())
    throw unavailable(NAME, name, "the answer is for another secret");
  if (secret.value === undefined) throw readAsEmpty(NAME, name);
  try {
    return decodeAzureValue(secret.value);
  } catch (error) {
    throw isSecretsError(error, "value_unreadable") ? unreadable(NAME, name, error.message) : error;
  }
}

function toFailure(name: string, error: unknown): SecretsError | "absent" {
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  const code = errorName(error);
  // A 404 without the vault's own code is a proxy's or another server's.
  if (status === 404 && code === "SecretNotFound") return "absent";
  if (status === 401 || status === 403) {
    return refused(NAME, name, {
      detail: `status ${status} (${code})`,
      remedy:
        "give the webhook's identity the role Key Vault Secrets User, let it through the vault's firewall, and enable the secret",
    });
  }
  if (
    status === undefined &&
    /^(CredentialUnavailableError|(Aggregate)?AuthenticationError|AuthenticationRequiredError)$/.test(code)
  ) {
    return refused(NAME, name, {
      detail: code,
      remedy: "give the webhook's pod a workload identity that the vault's tenant knows",
    });
  }
  return unavailable(
    NAME,
    name,
    explainFailure(error, status === undefined ? code : `status ${status}, ${code}`, HINTS),
  );
}

const HINTS: ManagerHints = {
  settings: "azureConfig.vaultURI",
  busy: /^status 429, /,
  broken: /^status 5\d\d, /,
};
