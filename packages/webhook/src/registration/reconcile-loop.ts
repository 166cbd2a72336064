import type { Clock } from "@flyte-secrets/core";

export interface ReconcileLoopOptions {
  /** Called one at a time. `isResync`: without a reported change. Must not reject. */
  readonly reconcile: (call: { readonly isResync: boolean }) => Promise<void>;
  /** How often it is called without a reported change. */
  readonly resyncMs: number;
  readonly clock: Clock;
}

/** Calls a function whenever the actual state may differ from the desired one. */
export interface ReconcileLoop {
  /** Schedules a call after a delay, instead of the one that was scheduled before. */
  schedule(delayMs: number): void;
  /** Ends the loop; resolves when no call is in flight any more. */
  close(): Promise<void>;
}

export function startReconcileLoop({ reconcile, resyncMs, clock }: ReconcileLoopOptions): ReconcileLoop {
  let inFlight = Promise.resolve();
  let isClosed = false;
  let cancelScheduled = () => {};
  let cancelResync = () => {};

  function run(isResync: boolean): void {
    inFlight = inFlight.then(() => (isClosed ? undefined : reconcile({ isResync })));
  }
  function planResync(): void {
    cancelResync = clock.after(resyncMs, () => {
      run(true);
      planResync();
    });
  }
  planResync();
  return {
    schedule(delayMs) {
      cancelScheduled();
      if (!isClosed) cancelScheduled = clock.after(delayMs, () => run(false));
    },
    async close() {
      isClosed = true;
      cancelScheduled();
      cancelResync();
      await inFlight;
    },
  };
}

const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 5 * 60 * 1000;
/** After this time without a reverted write, the delay starts again. */
const RESET_MS = 10 * 60 * 1000;
/** This number of writes within that time is a dispute. */
const DISPUTED_WRITES = 5;

/** Delays writes to an object that something else keeps reverting. */
export interface WriteBackoff {
  recordWrite(): void;
  /** How long to wait before the next write: 0 at first, then twice as long after each write. */
  nextDelayMs(): number;
}

/** Creates a backoff. `onDispute` is called after five reverted writes. */
export function createWriteBackoff(clock: Clock, onDispute: () => void): WriteBackoff {
  let writes = 0;
  let lastWriteAt = Number.NEGATIVE_INFINITY;
  return {
    recordWrite() {
      writes += 1;
      lastWriteAt = clock.elapsed();
    },
    nextDelayMs() {
      if (clock.elapsed() - lastWriteAt > RESET_MS) writes = 0;
      if (writes === 0) return 0;
      if (writes === DISPUTED_WRITES) onDispute();
      return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** writes);
    },
  };
}
