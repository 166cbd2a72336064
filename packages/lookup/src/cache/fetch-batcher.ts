import { type FetchedValue, raceSignal, SecretsError, type SecretValue } from "@flyte-secrets/core";
import type { Logger } from "pino";

/**
 * Fetches many values at once. Absent ids are left out of the answer; an id that cannot be read has its error there.
 */
export type FetchAll<Id> = (
  ids: readonly Id[],
  options: { readonly signal: AbortSignal },
) => Promise<ReadonlyMap<Id, FetchedValue>>;

export interface FetchBatcherOptions<Id> {
  readonly fetchAll: FetchAll<Id>;
  /** Limit of one call. */
  readonly timeoutMs: number;
  readonly log: Logger;
}

interface PendingFetch<Id> {
  readonly id: Id;
  resolve(value: SecretValue | undefined): void;
  reject(error: unknown): void;
}

/**
 * Combines single fetches: all that are requested in one turn of the event loop, such as every scope of every secret of
 * a pod, become one call. The call ends at its time limit even if the backend ignores the signal.
 */
export class FetchBatcher<Id> {
  readonly #options: FetchBatcherOptions<Id>;
  readonly #closing = new AbortController();
  #pending: PendingFetch<Id>[] = [];

  constructor(options: FetchBatcherOptions<Id>) {
    this.#options = options;
  }

  /** The current value, or undefined if there is none. */
  fetch(id: Id): Promise<SecretValue | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#pending.push({ id, resolve, reject }) === 1) setImmediate(() => void this.#send());
    });
  }

  /** Aborts the calls in flight; they and all later ones fail with `canceled`. */
  close(): void {
    this.#closing.abort();
  }

  async #send(): Promise<void> {
    const { fetchAll, timeoutMs, log } = this.#options;
    const batch = this.#pending;
    this.#pending = [];
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const ids = batch.map(({ id }) => id);
      const fetched = await raceSignal(signal, () => fetchAll(ids, { signal }));
      const failures: SecretsError[] = [];
      for (const { id, resolve, reject } of batch) {
        const value = fetched.get(id);
        if (value instanceof SecretsError) {
          failures.push(value);
          reject(value);
        } else resolve(value);
      }
      // Only the first is logged: when a backend is down there is one for each secret of a pod.
      if (failures.length > 0) log.warn({ err: failures[0], failed: failures.length }, "secrets could not be read");
    } catch (error) {
      log.warn({ err: error, failed: batch.length }, "secrets could not be read");
      for (const { reject } of batch) reject(error);
    }
  }
}
