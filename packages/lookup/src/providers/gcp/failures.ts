import type { SecretsError } from "@flyte-secrets/core";
import { errorName, explainFailure, type FailureHints, refused, unavailable, unreadable } from "../failures.ts";

export const NAME = "GCP";

/** gRPC's status codes (https://grpc.io/docs/guides/status-codes/) with a meaning of their own here. */
const STATUS = { INVALID_ARGUMENT: 3, NOT_FOUND: 5, PERMISSION_DENIED: 7, FAILED_PRECONDITION: 9, UNAUTHENTICATED: 16 };

/** What an error of the SDK means for a name. */
export function toFailure(name: string, error: unknown): SecretsError | "absent" {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case STATUS.NOT_FOUND:
      return "absent";
    case STATUS.PERMISSION_DENIED:
      return refused(NAME, name, {
        detail: "PERMISSION_DENIED",
        remedy: "give the webhook's service account roles/secretmanager.secretAccessor",
      });
    case STATUS.UNAUTHENTICATED:
      return refused(NAME, name, {
        detail: "UNAUTHENTICATED",
        remedy:
          "give the webhook credentials that Google accepts (Workload Identity, or GOOGLE_APPLICATION_CREDENTIALS)",
      });
    case STATUS.FAILED_PRECONDITION:
      return unreadable(NAME, name, "its latest version is disabled or destroyed: enable it, or add a version");
    case STATUS.INVALID_ARGUMENT:
      return unreadable(NAME, name, "its name is invalid: check gcpConfig.project");
    default:
      return unavailable(NAME, name, explainFailure(error, statusName(code) ?? errorName(error), HINTS));
  }
}

const HINTS: FailureHints = {
  settings: "gcpConfig.project and gcpConfig.endpoint",
  busy: /^RESOURCE_EXHAUSTED$/,
  broken: /^(?:UNKNOWN|INTERNAL|DATA_LOSS|ABORTED)$/,
};

/** The name of a gRPC status code. */
function statusName(code: unknown): string | undefined {
  if (typeof code !== "number") return undefined;
  return STATUS_NAMES[code] ?? `status ${code}`;
}

const STATUS_NAMES: Readonly<Record<number, string>> = {
  2: "UNKNOWN",
  4: "DEADLINE_EXCEEDED",
  8: "RESOURCE_EXHAUSTED",
  10: "ABORTED",
  13: "INTERNAL",
  14: "UNAVAILABLE",
  15: "DATA_LOSS",
};
