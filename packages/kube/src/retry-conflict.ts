import { type Clock, isSecretsError, sleep } from "@flyte-secrets/core";

/** About six seconds. Of eight writers that never pause, one in a thousand was still unlucky after twenty. */
const MAX_ATTEMPTS = 60;
const LONGEST_DELAY_MS = 200;

/**
 * Reads and writes again while somebody else writes between the two. The waits are random, so that writers do not meet again and
 * again. Throws the last `conflict` when all attempts met one, and when the signal is aborted in between without a
 * reason of ours.
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
