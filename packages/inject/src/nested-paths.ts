/** Something that lies at a path, such as a mount or a file. */
export interface Placed {
  readonly path: string;
}

/**
 * The pairs of which the second lies somewhere below the first, the nearest that there is, in the order of the second. In time
 * that grows as sorting does: neighbours are compared, not each with each.
 */
export function nestedPairs<T extends Placed>(placed: readonly T[]): (readonly [outer: T, inner: T])[] {
  // With the separator before every other character, what lies below a path comes right after it.
  const sorted = placed.map((one, at) => ({ one, at, order: `${one.path.replaceAll("/", "\0")}\0` }));
  sorted.sort((a, b) => (a.order === b.order ? a.at - b.at : a.order < b.order ? -1 : 1));
  const around: typeof sorted = [];
  const pairs: { readonly at: number; readonly pair: readonly [T, T] }[] = [];
  for (const inner of sorted) {
    while (around.length > 0 && !isBelow(inner.order, around.at(-1)?.order ?? "")) around.pop();
    const outer = around.at(-1);
    if (outer) pairs.push({ at: inner.at, pair: [outer.one, inner.one] });
    around.push(inner);
  }
  return pairs.sort((a, b) => a.at - b.at).map(({ pair }) => pair);
}

function isBelow(path: string, directory: string): boolean {
  return path.length > directory.length && path.startsWith(directory);
}
