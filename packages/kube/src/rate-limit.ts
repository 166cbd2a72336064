import type { Clock } from "@flyte-secrets/core";

/** Lets `burst` calls through at once and then `qps` a second, first come, first served. */
export interface RateLimiter {
  /** Resolves when the call may be sent, with the milliseconds it waited; rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<number>;
  /** How many are waiting. */
  readonly waiting: number;
}

/** `qps` and `burst` are at least 1. */
export function createRateLimiter({ qps, burst, clock }: { qps: number; burst: number; clock: Clock }): RateLimiter {
  let tokens = burst;
  let filledAt = clock.elapsed();
  let timed = false;
  // In order of arrival.
  const queue = new Set<() => void>();

  const refill = () => {
    const now = clock.elapsed();
    tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * qps);
    filledAt = now;
  };
  const schedule = () => {
    if (timed || queue.size === 0) return;
    timed = true;
    clock.after(Math.max(1, Math.ceil(((1 - tokens) / qps) * 1000)), serve);
  };
  const serve = () => {
    timed = false;
    refill();
    for (const next of queue) {
      if (tokens < 1) break;
      tokens -= 1;
      queue.delete(next);
      next();
    }
    schedule();
  };

  return {
    take(signal) {
      refill();
      if (signal.aborted) return Promise.reject(signal.reason);
      if (queue.size === 0 && tokens >= 1) {
        tokens -= 1;
        return Promise.resolve(0);
      }
      const started = clock.elapsed();
      return new Promise((resolve, reject) => {
        const onTurn = () => {
          signal.removeEventListener("abort", onAbort);
          resolve(clock.elapsed() - started);
        };
        const onAbort = () => {
          queue.delete(onTurn);
          reject(signal.reason);
        };
        queue.add(onTurn);
        signal.addEventListener("abort", onAbort, { once: true });
        schedule();
      });
    },
    get waiting() {
      return queue.size;
    },
  };
}
