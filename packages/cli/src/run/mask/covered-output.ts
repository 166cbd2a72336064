/** What stands in the output in place of a value, unless its name does. */
export const OUTPUT_MASK = "***";

/** What stands in the output in place of a value. */
export interface Replacement {
  readonly text: string;
  /** Where several values cover the same bytes, the one of the lowest rank counts. */
  readonly rank: number;
}

/**
 * The places of an output that values cover, and the output without them. Places count from the output's first byte.
 */
export interface CoveredOutput {
  cover(from: number, to: number, by: Replacement): void;
  /**
   * The next bytes of the output. Each unbroken run of covered ones is replaced once, at its beginning, so that it may
   * still grow and does not show its length; once for each value where they have different replacements. Of values that
   * overlap, the one that begins first has the bytes that they share; of those that begin together, the longest.
   */
  put(bytes: Uint8Array): readonly Uint8Array[];
}

interface Cover {
  readonly from: number;
  readonly to: number;
  readonly by: Replacement;
}

export function createCoveredOutput(): CoveredOutput {
  /** In the order in which they begin. None is within another one, so that they end in the same order. */
  const covers: Cover[] = [];
  let at = 0;
  /** The replacement that was put last, if all bytes since then were covered. */
  let last: string | undefined;
  return {
    cover(from, to, by) {
      if (to <= at) return;
      let first = covers.length;
      while (first > 0 && (covers[first - 1]?.from ?? 0) > from) first -= 1;
      const before = covers[first - 1];
      const isSame = before?.from === from && before.to === to;
      if (before !== undefined && before.to >= to && !(isSame && by.rank < before.by.rank)) return;
      if (before?.from === from) first -= 1;
      let after = first;
      while ((covers[after]?.to ?? Infinity) <= to) after += 1;
      covers.splice(first, after - first, { from, to, by });
    },
    put(bytes) {
      const parts: Uint8Array[] = [];
      const end = at + bytes.length;
      let passed = 0;
      while (at < end) {
        while ((covers[passed]?.to ?? Infinity) <= at) passed += 1;
        const next = covers[passed];
        const isCovered = next !== undefined && next.from <= at;
        const to = Math.min(isCovered ? next.to : (next?.from ?? end), end);
        if (!isCovered) parts.push(bytes.subarray(bytes.length - (end - at), bytes.length - (end - to)));
        else if (next.by.text !== last) parts.push(Buffer.from(next.by.text));
        last = isCovered ? next.by.text : undefined;
        at = to;
      }
      covers.splice(0, passed);
      return parts;
    },
  };
}
