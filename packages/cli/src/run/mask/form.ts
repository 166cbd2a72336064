/**
 * One way in which a value may stand in output: a sequence of units (bytes, characters), each of which may be written
 * in several ways, with gaps between them where the way of writing has any.
 */
export interface Form {
  readonly units: ArrayLike<number>;
  readonly writing: Writing;
  /** Units of which any may follow `units` as the form's last one. Default: it ends with `units`. */
  readonly lasts?: readonly number[];
}

/** How output may write the units of a form. Forms of one writing are looked for together. */
export interface Writing {
  /** All ways to write a unit. No two units have one in common. */
  readonly waysOf: (unit: number) => readonly Uint8Array[];
  /**
   * What may stand between two units, up to {@link MAX_GAPS} of them in a row. Nothing in it begins as a unit does;
   * where one is the beginning of another, the longer one comes first.
   */
  readonly gaps?: readonly Uint8Array[];
  /**
   * The same, from the fourth unit on: line breaks, without which the end of nearly every line would have to wait for
   * the next one.
   */
  readonly wraps?: readonly Uint8Array[];
  /** Whether units run into each other without a gap, as decimal numbers would. Default: false. */
  readonly needsGap?: boolean;
  readonly first?: FirstUnit;
}

/** The first unit of all forms of a writing, which stands for any of several. */
export interface FirstUnit {
  readonly unit: number;
  readonly any: ReadonlySet<number>;
}

/**
 * So much of a form is masked also where the rest of it doesn't follow: output is often cut, and Node shows 50 bytes of
 * a Buffer.
 */
export const MIN_MASKED_UNITS = 48;

export const UNITS_BEFORE_WRAP = 4;

/**
 * Above it, what is between two units belongs to neither: a wrapped line that is indented, a separator and a prefix.
 */
export const MAX_GAPS = 64;

/** Bytes that {@link headsOf} tells of each beginning. */
export const HEAD_BYTES = 4;

/** The beginnings that output may have where the form stands, as little-endian numbers of four bytes. */
export function headsOf({ units, lasts = [], writing: { waysOf, gaps = [] } }: Form): Set<number> {
  const heads = new Set<number>();
  let begun: readonly Beginning[] = [{ text: "", units: 0 }];
  while (begun.length > 0) {
    const longer: Beginning[] = [];
    for (const { text, units: count } of begun) {
      const following = count < units.length ? [units[count] ?? 0] : lasts;
      const next = following.flatMap(waysOf).map((way) => ({ way, units: count + 1 }));
      const between = count === 0 ? [] : gaps.map((way) => ({ way, units: count }));
      for (const { way, units } of [...next, ...between]) {
        const head = text + Buffer.from(way).toString("latin1");
        if (head.length < HEAD_BYTES) longer.push({ text: head, units });
        else heads.add(Buffer.from(head, "latin1").readUInt32LE(0));
      }
    }
    begun = longer;
  }
  return heads;
}

/** The first bytes of a form, and how many units they are. */
interface Beginning {
  readonly text: string;
  readonly units: number;
}
