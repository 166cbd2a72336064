import type { Replacement } from "./covered-output.ts";
import { type Form, HEAD_BYTES, headsOf, type Writing } from "./form.ts";
import { createUnitAutomaton, type UnitAutomaton } from "./unit-automaton.ts";

/** All forms of one writing. */
export interface FormGroup {
  readonly writing: Writing;
  readonly reader: UnitReader;
  readonly automaton: UnitAutomaton;
}

/**
 * Forms by writing, and by the four bytes that they begin with, so that nearly every place of an output is turned away
 * by one look.
 */
export interface FormIndex {
  /** What is there already keeps its replacement. */
  add(form: Form, by: Replacement): void;
  /** Those with a form that may begin at `at`. */
  groupsAt(bytes: Buffer, at: number): readonly FormGroup[];
}

export const NO_GROUPS: readonly FormGroup[] = [];

export function createFormIndex(): FormIndex {
  const groups = new Map<Writing, FormGroup>();
  const byHead = new Map<number, FormGroup[]>();
  const byFirst = new Map<number, FormGroup[]>();
  const heads = new Uint8Array(1 << 16);
  const slotOf = (head: number) => (head ^ (head >>> 16)) & 0xffff;
  /** The last one asked for: forms of one value have their units in common. */
  let alphabet: { of: ArrayLike<number>; units: Set<number> } | undefined;

  function put(present: Map<number, FormGroup[]>, key: number, group: FormGroup): void {
    const known = present.get(key);
    if (known === undefined) present.set(key, [group]);
    else if (!known.includes(group)) known.push(group);
  }

  function groupOf(writing: Writing): FormGroup {
    let group = groups.get(writing);
    if (group === undefined) {
      group = { writing, reader: createUnitReader(), automaton: createUnitAutomaton(writing.first) };
      groups.set(writing, group);
    }
    return group;
  }

  return {
    add(form, by) {
      const group = groupOf(form.writing);
      if (!group.automaton.add({ units: form.units, lasts: form.lasts, by })) return;
      if (alphabet?.of !== form.units) alphabet = { of: form.units, units: new Set(Array.from(form.units)) };
      const { first, waysOf } = form.writing;
      for (const unit of alphabet.units) if (unit !== first?.unit) group.reader.learn(unit, waysOf);
      for (const unit of [...(first?.any ?? []), ...(form.lasts ?? [])]) group.reader.learn(unit, waysOf);
      const own = headsOf(form);
      for (const head of own) {
        heads[slotOf(head)] = 1;
        put(byHead, head, group);
      }
      for (const first of new Set([...own].map((head) => head & 255))) put(byFirst, first, group);
    },
    groupsAt(bytes, at) {
      if (at + HEAD_BYTES > bytes.length) return byFirst.get(bytes[at] ?? 0) ?? NO_GROUPS;
      const head = bytes.readUInt32LE(at);
      return heads[slotOf(head)] === 0 ? NO_GROUPS : (byHead.get(head) ?? NO_GROUPS);
    },
  };
}

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
