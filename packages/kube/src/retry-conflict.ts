import { type Clock, isSecretsError, sleep } from "@flyte-secrets/core";

/** About six seconds. Of eight writers without pauses, one in a thousand had no success after twenty attempts. */
const MAX_ATTEMPTS = 60;
const LONGEST_DELAY_MS = 200;

/**
 * Repeats a read-modify-write while others write in between. The delays are random, so that the writers do not collide
 * again. Throws the last `conflict` when all attempts failed with one, and when the signal is aborted in between
 * without a {@link SecretsError} as its reason.
 */
export async function retryConflict<T>(
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tried = 1; ; tried++) {
    let conflict: unknown;
    try {
      return await attempt();
    } catch (error) {
      if (!isSecretsError(error, "conflict") || tried === MAX_ATTEMPTS) throw error;
      conflict = error;
    }
    await sleep(clock, Math.random() * Math.min(LONGEST_DELAY_MS, 10 * tried), signal).catch(() => {
      throw isSecretsError(signal.reason) ? signal.reason : conflict;
    });
  }
}
