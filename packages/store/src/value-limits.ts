import { MAX_DATA_KEY_LENGTH, SecretsError, type SecretValue } from "@flyte-secrets/core";

/** The limit of a Kubernetes Secret, of every store, so that every secret can move to a cluster. */
export const MAX_VALUE_BYTES = 1024 * 1024;

/** The longest data key of a Kubernetes Secret, for the same reason. */
export const MAX_ID_LENGTH = MAX_DATA_KEY_LENGTH;

/** Throws `value_too_large` with both sizes. */
export function assertValueFits({ byteLength }: SecretValue): void {
  if (byteLength <= MAX_VALUE_BYTES) return;
  throw new SecretsError(
    "value_too_large",
    `value: ${byteLength} bytes, the limit is ${MAX_VALUE_BYTES} bytes (1 MiB).`,
  );
}
