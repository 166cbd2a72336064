/** Time as long-lived parts see it. It is passed in, so that tests move it by hand. */
export interface Clock {
  /** Milliseconds since 1970: what dates are compared with. */
  now(): number;
  /** Milliseconds of a clock that nobody sets, for intervals. */
  elapsed(): number;
  /** Calls `callback` once, after `delayMs` (24 days at the most), unless the function that is returned was called before. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Waits; rejects with the signal's reason once it is aborted. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = clock.after(delayMs, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    const onAbort = () => {
      stop();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
