import type { Clock } from "@flyte-secrets/core";

export interface ReconcileLoopOptions {
  /** Called one at a time. `isResync`: without any sign of a change. Must not reject. */
  readonly reconcile: (call: { readonly isResync: boolean }) => Promise<void>;
  /** How often it is called without any sign of a change. */
  readonly resyncMs: number;
  readonly clock: Clock;
}

/** Calls a function whenever the actual state may differ from the desired one. */
export interface ReconcileLoop {
  /** Plans a call after a delay, in place of the one that was planned before. */
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
