/**
 * The candidate nearest to a mistyped name, ignoring case; undefined when none is near enough. Near means at most
 * `maxEdits` edits (default two; one for names of up to three letters): a letter added, left out or changed, or two
 * swapped.
 */
export function nearestName(typed: string, candidates: readonly string[], maxEdits = 2): string | undefined {
  const limit = typed.length <= 3 ? 1 : maxEdits;
  let best: { readonly name: string; readonly edits: number } | undefined;
  for (const name of candidates) {
    if (Math.abs(typed.length - name.length) > limit) continue;
    const edits = countEdits(typed.toLowerCase(), name.toLowerCase());
    if (edits <= limit && (best === undefined || edits < best.edits)) best = { name, edits };
  }
  return best?.name;
}

/** Optimal string alignment distance, over three rows of the table. */
function countEdits(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforeLast = last;
    last = current;
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
