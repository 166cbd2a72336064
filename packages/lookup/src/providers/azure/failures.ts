import type { SecretsError } from "@flyte-secrets/core";
import { errorName, explainFailure, type FailureHints, refused, unavailable } from "../failures.ts";

export const NAME = "Azure";

/** What an error of the SDK means for a name. */
export function toFailure(name: string, error: unknown): SecretsError | "absent" {
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  const code = errorName(error);
  // A 404 without Key Vault's own code comes from a proxy or another server.
  if (status === 404 && code === "SecretNotFound") return "absent";
  if (status === 401 || status === 403) {
    return refused(NAME, name, {
      detail: `status ${status} (${code})`,
      remedy:
        "give the webhook's identity the role Key Vault Secrets User, let it through the vault's firewall, " +
        "and enable the secret",
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

const HINTS: FailureHints = {
  settings: "azureConfig.vaultURI",
  busy: /^status 429, /,
  broken: /^status 5\d\d, /,
};
