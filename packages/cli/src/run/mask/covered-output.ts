/** The replacement of a value in the output; one for each unbroken run, so that it does not show the length. */
export const OUTPUT_MASK = "***";

const MASK_BYTES = Buffer.from(OUTPUT_MASK);

/**
 * The places of an output that values cover, and the output without them. Places count from the output's first byte.
 */
export interface CoveredOutput {
  cover(from: number, to: number): void;
  /** The next bytes of the output, with a mask for each covered run: at its beginning, so that it may still grow. */
  put(bytes: Uint8Array): readonly Uint8Array[];
}

interface Run {
  from: number;
  to: number;
}

export function createCoveredOutput(): CoveredOutput {
  /** In order, and apart from each other. */
  const runs: Run[] = [];
  let at = 0;
  let masking = false;
  return {
    cover(from, to) {
      let first = runs.length;
      while (first > 0 && (runs[first - 1]?.to ?? 0) >= from) first -= 1;
      let after = first;
      const run = { from: Math.max(from, at), to };
      for (let next = runs[after]; next !== undefined && next.from <= to; next = runs[after]) {
        run.from = Math.min(run.from, next.from);
        run.to = Math.max(run.to, next.to);
        after += 1;
      }
      if (run.from < run.to) runs.splice(first, after - first, run);
    },
    put(bytes) {
      const parts: Uint8Array[] = [];
      const end = at + bytes.length;
      while (at < end) {
        const run = runs[0];
        const isCovered = run !== undefined && run.from <= at;
        const to = Math.min(isCovered ? run.to : (run?.from ?? end), end);
        if (!isCovered) parts.push(bytes.subarray(bytes.length - (end - at), bytes.length - (end - to)));
        else if (!masking) parts.push(MASK_BYTES);
        masking = isCovered;
        at = to;
        if (isCovered && run.to <= at) runs.shift();
      }
      return parts;
    },
  };
}
