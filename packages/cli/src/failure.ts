import { type ErrorCode, SecretsError } from "@flyte-secrets/core";

/** An error with further lines for the user: `details` are printed below its message, unchanged. */
export class DetailedError extends SecretsError {
  readonly details: readonly string[];

  constructor(code: ErrorCode, message: string, details: readonly string[]) {
    super(code, message);
    this.details = details;
  }
}
