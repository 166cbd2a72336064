import { isSecretsError, SecretsError } from "./errors.ts";

/**
 * Resolves with the result of `start`, or rejects with `toError` of the signal as soon as that is aborted. The work
 * itself goes on: pass it the signal too. Nothing is started when the signal is aborted already.
 */
export type RaceSignal = <T>(
  signal: AbortSignal | undefined,
  start: () => Promise<T>,
  /** Default: {@link toAbortError}. */
  toError?: (signal: AbortSignal) => unknown,
) => Promise<T>;

/** {@link RaceSignal} for a signal that few wait on. */
export const raceSignal: RaceSignal = (signal, start, toError) => createSignalRace()(signal, start, toError);

/**
 * A {@link RaceSignal} that adds one listener to a signal, however many calls wait on it. The keys of all pods of one
 * moment share one deadline, and an `AbortSignal` compares a new listener with all that it has.
 */
export function createSignalRace(): RaceSignal {
  const waiting = new WeakMap<AbortSignal, AbortListeners>();
  return async (signal, start, toError = toAbortError) => {
    if (signal === undefined) return await start();
    if (signal.aborted) throw toError(signal);
    const listeners = waiting.get(signal) ?? new AbortListeners(signal);
    waiting.set(signal, listeners);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(toError(signal));
    listeners.add(onAbort);
    try {
      return await Promise.race([start(), aborted]);
    } finally {
      listeners.delete(onAbort);
    }
  };
}

/** Listeners that share one listener of the signal, which has none when they are all gone. */
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

/**
 * The error of a call that an aborted signal ends: the signal's reason if that is a SecretsError, `deadline_exceeded`
 * for a time limit, else `canceled`. `answerer` is what the call was waiting for.
 */
export function toAbortError({ reason }: AbortSignal, answerer = "the secret manager"): SecretsError {
  if (isSecretsError(reason)) return reason;
  return reason instanceof DOMException && reason.name === "TimeoutError"
    ? new SecretsError("deadline_exceeded", `The time limit passed before ${answerer} answered.`, { cause: reason })
    : new SecretsError("canceled", "The caller gave up.", { cause: reason });
}
