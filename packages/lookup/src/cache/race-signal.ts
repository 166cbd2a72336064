import { isSecretsError, SecretsError } from "@flyte-secrets/core";

/**
 * What `start` comes to, or an error as soon as `signal` is aborted: `deadline_exceeded` for a time limit, else `canceled`, or
 * the signal's own reason when that is one of ours. The work itself is not ended by that; pass it the signal too.
 */
export type SettleBefore = <T>(signal: AbortSignal | undefined, start: () => Promise<T>) => Promise<T>;

/**
 * A {@link SettleBefore} with one listener a signal, however many wait on it. The keys of all pods of one moment wait on one
 * deadline, and an `AbortSignal` compares each listener that is added with all that it has.
 */
export function createSettleBefore(): SettleBefore {
  const waiting = new WeakMap<AbortSignal, AbortListeners>();
  return async (signal, start) => {
    if (signal === undefined) return await start();
    if (signal.aborted) throw toAbortError(signal);
    const listeners = waiting.get(signal) ?? new AbortListeners(signal);
    waiting.set(signal, listeners);
    let onAbort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(toAbortError(signal));
      listeners.add(onAbort);
    });
    try {
      return await Promise.race([start(), aborted]);
    } finally {
      listeners.delete(onAbort);
    }
  };
}

/** Listeners of a signal that take one place among its own, and none when there are none. */
class AbortListeners {
  readonly #signal: AbortSignal;
  readonly #listeners = new Set<() => void>();
  readonly #onAbort = () => {
    for (const listener of this.#listeners) listener();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(listener: () => void): void {
    if (this.#listeners.size === 0) this.#signal.addEventListener("abort", this.#onAbort, { once: true });
    this.#listeners.add(listener);
  }

  delete(listener: () => void): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.#signal.removeEventListener("abort", this.#onAbort);
  }
}

/** {@link SettleBefore} for a signal that few wait on. */
export const raceSignal: SettleBefore = (signal, start) => createSettleBefore()(signal, start);

/** What a call that ends because of `signal` is told. */
export function toAbortError({ reason }: AbortSignal): SecretsError {
  if (isSecretsError(reason)) return reason;
  return reason instanceof DOMException && reason.name === "TimeoutError"
    ? new SecretsError("deadline_exceeded", "The time limit passed before the secret manager answered.", {
        cause: reason,
      })
    : new SecretsError("canceled", "The caller gave up.", { cause: reason });
}
