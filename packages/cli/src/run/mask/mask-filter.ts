import { type CoveredOutput, createCoveredOutput, type Replacement } from "./covered-output.ts";
import { MAX_GAPS, MIN_MASKED_UNITS, UNITS_BEFORE_WRAP } from "./form.ts";
import { CUT_OFF, type FormGroup, type FormIndex, NO_GROUPS, type Reading } from "./form-index.ts";
import type { State } from "./unit-automaton.ts";

/**
 * Masks one stream, however it is cut into chunks: the joined output is the same for every cutting. Bytes are held back
 * only while they equal the beginning of a form, 48 units of it at most. The time it takes grows with the output, not
 * with the values.
 */
export interface MaskFilter {
  write(chunk: Uint8Array): Buffer;
  /** What was still held back. More may be written afterwards; of a form that has begun, the rest is masked then. */
  end(): Buffer;
}

/**
 * More of them read the same bytes as different units only where escapes are escaped again and again, and a value looks
 * like that. It doesn't grow with the values: what several of them have in common is read once.
 */
const MAX_READERS_OF_A_GROUP = 64;

/** Reads units of one group's forms, from `place` on. */
interface Reader {
  readonly group: FormGroup;
  readonly state: State;
  /** Where the last units began, the one numbered n at n modulo {@link MIN_MASKED_UNITS}. */
  readonly begins: Float64Array;
  units: number;
  place: number;
  /** Once {@link MIN_MASKED_UNITS} units of a form were read: where they began, and what replaces them. */
  long: { readonly from: number; readonly by: Replacement } | undefined;
}

const NO_WAYS: readonly Uint8Array[] = [];

export function createMaskFilter(index: FormIndex): MaskFilter {
  const output = createCoveredOutput();
  let held: Buffer = Buffer.alloc(0);
  /** The place of the first held byte in the stream. */
  let base = 0;
  /** The first place where no form was looked for yet. */
  let next = 0;
  let readers: Reader[] = [];

  function advance(bytes: Buffer, final: boolean): Buffer {
    let at = next - base;
    for (; at < bytes.length; at++) {
      const groups = index.groupsAt(bytes, at);
      if (readers.length === 0 && groups === NO_GROUPS) continue;
      if (!readAt(bytes, at, groups, final)) break;
    }
    // What a long form covered is put out already where a shorter one begins in it.
    const undecided = readers.map((reader) => Math.max(0, undecidedFrom(reader) - base));
    const safe = final ? bytes.length : Math.min(at, ...undecided);
    const parts = output.put(bytes.subarray(0, safe));
    held = bytes.subarray(safe);
    next = base + at;
    base += safe;
    return Buffer.concat(parts);
  }

  /** Advances all forms at this place and starts others. False if more bytes are needed to decide. */
  function readAt(bytes: Buffer, at: number, groups: readonly FormGroup[], final: boolean): boolean {
    const place = base + at;
    let waits = false;
    let isOver = false;
    for (const reader of readers) {
      if (reader.place !== place) continue;
      if (readNext(reader, bytes, final) === CUT_OFF) waits = true;
      if (reader.state.depth === 0 || isDouble(readers, reader)) {
        // Not looked for again.
        reader.state.depth = 0;
        isOver = true;
      }
    }
    if (isOver) readers = readers.filter(({ state }) => state.depth > 0);
    if (waits) return false;
    for (const group of groups) {
      if (!mayBegin(group, place)) continue;
      const begins = new Float64Array(MIN_MASKED_UNITS);
      const reader: Reader = { group, state: group.automaton.start(), begins, units: 0, place, long: undefined };
      if (readNext(reader, bytes, final) === CUT_OFF) return false;
      if (reader.state.depth > 0) readers.push(reader);
    }
    return true;
  }

  /** Not where one that has just read on from `place` finds what begins there, too. */
  function mayBegin(group: FormGroup, place: number): boolean {
    let count = 0;
    for (const reader of readers) {
      if (reader.group !== group) continue;
      count += 1;
      if (beginOf(reader, 1) === place) return false;
    }
    return count < MAX_READERS_OF_A_GROUP;
  }

  /**
   * Reads one unit, and covers what was found; at depth 0 when there is none. {@link CUT_OFF} when the bytes end before
   * that is known.
   */
  function readNext(reader: Reader, bytes: Buffer, final: boolean): Reading | undefined {
    const { group, state } = reader;
    const { gaps = NO_WAYS, wraps = NO_WAYS, needsGap = false } = group.writing;
    let at = reader.place - base;
    let read = needsGap && state.depth > 0 ? undefined : group.reader.read(bytes, at, final);
    for (let passed = 0; read === undefined && state.depth > 0 && passed < MAX_GAPS; passed++) {
      let length = lengthOf(gaps, bytes, at, final);
      if (length === 0 && state.depth >= UNITS_BEFORE_WRAP) length = lengthOf(wraps, bytes, at, final);
      if (length <= 0) {
        if (length < 0) return CUT_OFF;
        break;
      }
      at += length;
      read = group.reader.read(bytes, at, final);
    }
    if (read === CUT_OFF) return CUT_OFF;
    if (read === undefined) state.depth = 0;
    else pass(reader, base + at, read, output);
    return read;
  }

  return { write: (chunk) => advance(Buffer.concat([held, chunk]), false), end: () => advance(held, true) };
}

function pass(reader: Reader, begin: number, { unit, length }: Reading, output: CoveredOutput): void {
  const { group, state, begins } = reader;
  begins[reader.units % MIN_MASKED_UNITS] = begin;
  reader.units += 1;
  reader.place = begin + length;
  group.automaton.next(state, unit);
  const found = group.automaton.found(state);
  const isLong = state.depth >= MIN_MASKED_UNITS;
  if (!isLong) reader.long = undefined;
  if (found !== undefined) {
    const run = reader.long ?? { from: beginOf(reader, found.count), by: found.by };
    output.cover(run.from, reader.place, run.by);
    // Its beginning may be put out already: what follows keeps that replacement, whichever of several forms it is.
    if (isLong) reader.long = run;
  }
  group.automaton.leaveEnd(state);
}

/** Where the last `count` units begin. */
function beginOf({ begins, units }: Reader, count: number): number {
  return begins[(units - count) % MIN_MASKED_UNITS] ?? 0;
}

/** The first byte of which it isn't known yet whether the reader's form covers it. */
function undecidedFrom(reader: Reader): number {
  const { depth } = reader.state;
  return depth >= MIN_MASKED_UNITS ? reader.place : beginOf(reader, depth);
}

/** Whether another one reads the same from the same place on, and began no later. */
function isDouble(readers: readonly Reader[], reader: Reader): boolean {
  const { branch, depth } = reader.state;
  for (const other of readers) {
    if (other.group !== reader.group || other === reader || other.place !== reader.place) continue;
    if (other.state.depth !== depth || other.state.branch !== branch) continue;
    if (beginOf(other, depth) <= beginOf(reader, depth)) return true;
  }
  return false;
}

/** The length of the one of `ways` that stands at `at`: 0 for none, -1 when `bytes` end within it. */
function lengthOf(ways: readonly Uint8Array[], bytes: Uint8Array, at: number, final: boolean): number {
  for (const way of ways) {
    let same = 0;
    while (same < way.length && at + same < bytes.length && bytes[at + same] === way[same]) same++;
    if (same === way.length) return same;
    if (at + same === bytes.length && !final) return -1;
  }
  return 0;
}
