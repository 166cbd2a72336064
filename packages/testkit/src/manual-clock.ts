import type { Clock } from "@flyte-secrets/core";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is advanced. */
export interface ManualClock extends Clock {
  /** Moves on and calls what is due on the way, in order, letting promises settle between the calls. */
  advance(ms: number): Promise<void>;
  /** How many calls are waiting. */
  readonly timers: number;
}

/** Starts at a date like any other, so that certificates made by it are valid today as well. */
export function createManualClock(start = Date.now()): ManualClock {
  let elapsed = 0;
  const timers = new Set<Timer>();
  const nextDue = (limit: number) =>
    [...timers].filter(({ at }) => at <= limit).toSorted((one, other) => one.at - other.at)[0];
  return {
    now: () => start + elapsed,
    elapsed: () => elapsed,
    after(delayMs, callback) {
      const timer = { at: elapsed + delayMs, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async advance(ms) {
      const end = elapsed + ms;
      await settle();
      for (let timer = nextDue(end); timer !== undefined; timer = nextDue(end)) {
        elapsed = timer.at;
        timers.delete(timer);
        timer.callback();
        await settle();
      }
      elapsed = end;
    },
    get timers() {
      return timers.size;
    },
  };
}

/** Lets promises, and callbacks of finished I/O, run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
