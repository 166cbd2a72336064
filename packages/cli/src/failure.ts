import { type ErrorCode, SecretsError } from "@flyte-secrets/core";

/** A failure of a command that takes more than one line to tell: `details` are shown below its message, as they are. */
export class DetailedError extends SecretsError {
  readonly details: readonly string[];

  constructor(code: ErrorCode, message: string, details: readonly string[]) {
    super(code, message);
    this.details = details;
  }
}
