import { type FetchedValue, raceSignal, SecretsError, type SecretValue } from "@flyte-secrets/core";
import type { Logger } from "pino";

/** Fetches many at once; absent ones are left out, one that cannot be read has its error in the answer. */
export type FetchAll<Id> = (
  ids: readonly Id[],
  options: { readonly signal: AbortSignal },
) => Promise<ReadonlyMap<Id, FetchedValue>>;

export interface FetchBatcherOptions<Id> {
  readonly fetchAll: FetchAll<Id>;
  /** Of one call. */
  readonly timeoutMs: number;
  readonly log: Logger;
}

interface Waiting<Id> {
  readonly id: Id;
  resolve(value: SecretValue | undefined): void;
  reject(error: unknown): void;
}

/**
 * Puts single requests together: everything that is asked for in one turn of the event loop, such as all scopes of all secrets
 * of a pod, becomes one call, which is over after its time limit whatever the backend does.
 */
export class FetchBatcher<Id> {
  readonly #options: FetchBatcherOptions<Id>;
  readonly #closing = new AbortController();
  #waiting: Waiting<Id>[] = [];

  constructor(options: FetchBatcherOptions<Id>) {
    this.#options = options;
  }

  /** The value now, or undefined when it isn't there. */
  fetch(id: Id): Promise<SecretValue | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ id, resolve, reject }) === 1) setImmediate(() => void this.#send());
    });
  }

  /** Ends the calls under way; they and later ones fail with `canceled`. */
  close(): void {
    this.#closing.abort();
  }

  async #send(): Promise<void> {
    const { fetchAll, timeoutMs, log } = this.#options;
    const batch = this.#waiting;
    this.#waiting = [];
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
      // The first stands for all: when a backend is down there is one for each secret of a pod.
      if (failures.length > 0) log.warn({ err: failures[0], failed: failures.length }, "secrets could not be read");
    } catch (error) {
      log.warn({ err: error, failed: batch.length }, "secrets could not be read");
      for (const { reject } of batch) reject(error);
    }
  }
}
