import { SecretsError } from "@flyte-secrets/core";
import { errorName, explainFailure, type FailureHints, refused, unavailable, unreadable } from "../failures.ts";

export const NAME = "AWS";

/** What an exception of the SDK means for a name. */
export function toFailure(name: string, error: unknown): SecretsError | "absent" {
  return error instanceof SecretsError ? error : toFailureOfCode(name, errorName(error), error);
}

const HINTS: FailureHints = {
  settings: "awsConfig.region and awsConfig.endpoint",
  busy: /^(?:Throttl\w*|TooManyRequests\w*|RequestLimitExceeded|SlowDown)$/,
  broken: /^(?:InternalServiceError|InternalFailure|ServiceUnavailable\w*)$/,
};

const CREDENTIALS =
  "give the webhook credentials that AWS accepts (EKS Pod Identity or IRSA of its service account, " +
  "or AWS_ACCESS_KEY_ID and its like)";

/** What an error code of AWS means for a name; `error` is the exception that had it, if there was one. */
export function toFailureOfCode(name: string, code: string, error?: unknown): SecretsError | "absent" {
  switch (code) {
    case "ResourceNotFoundException":
      return "absent";
    case "AccessDeniedException":
      return refused(NAME, name, { detail: code, remedy: "allow the webhook secretsmanager:GetSecretValue on it" });
    case "DecryptionFailure":
      return refused(NAME, name, { detail: code, remedy: "allow the webhook kms:Decrypt with the secret's key" });
    case "CredentialsProviderError":
    case "ExpiredTokenException":
    case "IncompleteSignature":
    case "InvalidClientTokenId":
    case "InvalidSignatureException":
    case "MissingAuthenticationToken":
    case "TokenProviderError":
    case "UnrecognizedClientException":
      return refused(NAME, name, { detail: code, remedy: CREDENTIALS });
    case "RequestExpired":
    case "RequestTimeTooSkewed":
      return refused(NAME, name, { detail: code, remedy: "set the clock of the webhook's node by NTP" });
    case "InvalidParameterException":
    case "ValidationException":
      return unreadable(
        NAME,
        name,
        `AWS does not accept this name (${code}): write a secret's name, or an ARN of the region that the webhook uses`,
      );
    case "InvalidRequestException":
      return unreadable(NAME, name, "it is marked for deletion: restore it, or wait until it is gone");
    default:
      return unavailable(NAME, name, explainFailure(error, code, HINTS));
  }
}
