import { isSecretsError, SecretsError } from "@flyte-secrets/core";

/** Runs `run` and puts `what` before the message of an error that we raised on purpose. */
export async function naming<T>(what: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isSecretsError(error)) throw error;
    throw new SecretsError(error.code, `${what}: ${error.message}`, { cause: error });
  }
}
