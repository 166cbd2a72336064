import type { Find } from "./find.ts";

/** So many times the median time per byte is too slow. */
const TOO_SLOW = 100;
/** A run below it is never slow, whatever its size: compiling and collecting garbage take as long now and then. */
const MIN_SLOW_MS = 200;
/** What even an empty input costs, in bytes. */
const BASE_BYTES = 256;
/** The median is that of the last so many runs, taken anew after some. */
const KEPT = 1024;
const JUDGED_EVERY = 256;

/** Finds inputs that take far more time for their size than others do. */
export interface Pace {
  /** Whether a run was slow enough to look at it again. */
  isSlow(byteLength: number, ms: number): boolean;
  /** The find, when even the fastest of several runs of it was too slow. */
  judge(input: Uint8Array, runsMs: readonly number[]): Find | undefined;
}

export function createPace(): Pace {
  const last: number[] = [];
  let runs = 0;
  let median = Number.POSITIVE_INFINITY;
  const perByte = (byteLength: number, ms: number) => ms / (BASE_BYTES + byteLength);
  const isSlow = (byteLength: number, ms: number) => ms >= MIN_SLOW_MS && perByte(byteLength, ms) > TOO_SLOW * median;
  return {
    isSlow(byteLength, ms) {
      last[runs++ % KEPT] = perByte(byteLength, ms);
      if (runs % JUDGED_EVERY === 0) median = last.toSorted((a, b) => a - b)[last.length >> 1] ?? median;
      return isSlow(byteLength, ms);
    },
    judge(input, runsMs) {
      const fastest = Math.min(...runsMs);
      if (!isSlow(input.length, fastest)) return undefined;
      const times = Math.round(perByte(input.length, fastest) / median);
      const report = `${fastest.toFixed(1)} ms for ${input.length} bytes: ${times} times the median time per byte`;
      return { kind: "slow", input, report, cause: "slow" };
    },
  };
}
