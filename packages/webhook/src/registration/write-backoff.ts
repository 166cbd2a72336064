import type { Clock } from "@flyte-secrets/core";

const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 5 * 60 * 1000;
/** After a write that nobody undid for so long, the next is a first one again. */
const RESET_MS = 10 * 60 * 1000;
/** So many writes within that time are taken for a dispute. */
const DISPUTED_WRITES = 5;

/** Delays writes to an object that somebody else keeps changing back. */
export interface WriteBackoff {
  recordWrite(): void;
  /** How long to wait before the next write: nothing at first, then twice as long after each write. */
  nextDelayMs(): number;
}

/** `onDispute` is called when somebody has undone five writes. */
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
