/** A unit that stands in output, and how many bytes it takes there. */
export interface Reading {
  readonly unit: number;
  readonly length: number;
}

/** What {@link UnitReader.read} gives when the bytes end within what may be a unit. */
export const CUT_OFF: Reading = { unit: -1, length: 0 };

/** Reads units out of output, in all ways in which they may be written. */
export interface UnitReader {
  /** Knows `unit` from now on, in each of its ways. */
  learn(unit: number, waysOf: (unit: number) => readonly Uint8Array[]): void;
  /** The longest unit at `at`; undefined where there is none. With `final`, nothing comes after `bytes`. */
  read(bytes: Uint8Array, at: number, final: boolean): Reading | undefined;
}

/** A place in the tree of all ways: what may come next, and the unit that ends here. */
interface Node {
  next: (Node | undefined)[] | undefined;
  reading: Reading | undefined;
}

export function createUnitReader(): UnitReader {
  const root: Node = { next: new Array(256).fill(undefined), reading: undefined };
  const known = new Set<number>();
  return {
    learn(unit, waysOf) {
      if (known.has(unit)) return;
      known.add(unit);
      for (const way of waysOf(unit)) {
        let node = root;
        for (const byte of way) {
          node.next ??= [];
          let next = node.next[byte];
          if (next === undefined) {
            next = { next: undefined, reading: undefined };
            node.next[byte] = next;
          }
          node = next;
        }
        node.reading ??= { unit, length: way.length };
      }
    },
    read(bytes, at, final) {
      let longest: Reading | undefined;
      let node = root;
      for (let place = at; node.next !== undefined; place++) {
        if (place >= bytes.length) return final ? longest : CUT_OFF;
        const next: Node | undefined = node.next[bytes[place] ?? 0];
        if (next === undefined) break;
        node = next;
        longest = node.reading ?? longest;
      }
      return longest;
    },
  };
}
