import { type Form, HEAD_BYTES, headsOf, type Writing } from "./form.ts";
import { createUnitAutomaton, type UnitAutomaton } from "./unit-automaton.ts";
import { createUnitReader, type UnitReader } from "./unit-reader.ts";

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
  add(form: Form): void;
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
    add(form) {
      const group = groupOf(form.writing);
      if (!group.automaton.add(form.units, form.lasts)) return;
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
