/**
 * One way in which a value may stand in output: a sequence of units (bytes, characters), each of which may be written in several
 * ways, with gaps between them where the way of writing has any.
 */
export interface Form {
  readonly units: ArrayLike<number>;
  readonly writing: Writing;
}

/** How output may write the units of a form. */
export interface Writing {
  /** All ways to write a unit, longest first; where one is the beginning of another, the longer one counts. */
  readonly waysOf: (unit: number) => readonly Uint8Array[];
  /** What may stand between two units, up to {@link MAX_GAPS} of them in a row. Nothing in it begins as a unit does. */
  readonly gaps?: readonly Uint8Array[];
  /** The same, from the fourth unit on: line breaks, without which the end of nearly every line would have to wait for the next one. */
  readonly wraps?: readonly Uint8Array[];
  /** Whether units run into each other without a gap, as decimal numbers would. Default: false. */
  readonly needsGap?: boolean;
}

const UNITS_BEFORE_WRAP = 4;
const NONE: readonly Uint8Array[] = [];

/** How far a form was found. */
export interface Progress {
  /** How many units. */
  readonly units: number;
  /** The place after the last of them. */
  readonly reach: number;
  /** Whether what follows `reach` was not there yet, so that the next unit may still come. */
  readonly open: boolean;
}

/** Above it, what is between two units belongs to neither: a wrapped line that is indented, a separator and a prefix. */
const MAX_GAPS = 24;

/**
 * Goes on in `bytes` from `from`, as far as they write the form's next units. With `final`, nothing comes after them: then what is
 * cut off counts as missing.
 */
export function follow({ units, writing }: Form, from: Omit<Progress, "open">, { bytes, final }: Output): Progress {
  const { waysOf, gaps = NONE, wraps = NONE, needsGap = false } = writing;
  let { units: count, reach } = from;
  while (count < units.length) {
    const ways = waysOf(units[count] ?? 0);
    let at: number = reach;
    let end = needsGap && count > 0 ? MISSING : endOf(ways, at, bytes);
    for (let passed = 0; end === MISSING && count > 0 && passed < MAX_GAPS; passed++) {
      let next = endOf(gaps, at, bytes);
      if (next === MISSING && count >= UNITS_BEFORE_WRAP) next = endOf(wraps, at, bytes);
      at = next;
      if (at < 0) break;
      end = endOf(ways, at, bytes);
    }
    if (end === CUT_OFF || at === CUT_OFF) return { units: count, reach, open: !final };
    if (end === MISSING) break;
    reach = end;
    count += 1;
  }
  return { units: count, reach, open: false };
}

/** What is looked through. */
export interface Output {
  readonly bytes: Buffer;
  readonly final: boolean;
}

/** Bytes that {@link headsOf} tells of each beginning. */
export const HEAD_BYTES = 4;

/** The beginnings that output may have where the form stands, as little-endian numbers of four bytes. */
export function headsOf({ units, writing: { waysOf, gaps = [] } }: Form): Set<number> {
  const heads = new Set<number>();
  let begun: readonly Beginning[] = [{ text: "", units: 0 }];
  while (begun.length > 0) {
    const longer: Beginning[] = [];
    for (const { text, units: count } of begun) {
      const next = waysOf(units[count] ?? 0).map((way) => ({ way, units: count + 1 }));
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

const MISSING = -1;
const CUT_OFF = -2;

/** The place after the one of `ways` that stands at `at`; {@link CUT_OFF} when `bytes` end within it. */
function endOf(ways: readonly Uint8Array[], at: number, bytes: Uint8Array): number {
  for (const way of ways) {
    let same = 0;
    while (same < way.length && at + same < bytes.length && bytes[at + same] === way[same]) same++;
    if (same === way.length) return at + same;
    if (at + same === bytes.length) return CUT_OFF;
  }
  return MISSING;
}
