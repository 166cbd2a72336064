import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MIN_MASKED_UNITS } from "./form.ts";
import { createUnitAutomaton } from "./unit-automaton.ts";

type Units = readonly number[];

const by = { text: "***", rank: 0 };

const isSame = (a: Units, b: Units) => a.length === b.length && a.every((unit, at) => unit === b[at]);

/** The longest suffix of `read` that is one of `sequences`, or at least 48 units of one, by looking at all of them. */
function foundSlowly(sequences: readonly Units[], read: Units): number {
  for (let count = read.length; count > 0; count--) {
    const suffix = read.slice(-count);
    const begun = sequences.filter((sequence) => isSame(sequence.slice(0, count), suffix));
    if (count >= MIN_MASKED_UNITS ? begun.length > 0 : begun.some(({ length }) => length === count)) {
      return Math.min(count, MIN_MASKED_UNITS);
    }
  }
  return 0;
}

// Two units, so that sequences have most of their beginnings in common and fall back on each other all the time.
const units = (maxLength: number) => fc.array(fc.nat(1), { minLength: 1, maxLength });
const periodic = fc
  .tuple(units(3), fc.nat(60), units(4))
  .map(([part, times, end]) => [...Array.from({ length: times }, () => part).flat(), ...end]);
const sequence = fc.oneof(units(8), periodic);

describe("the automaton", () => {
  test("finds what looking at every sequence finds, also when sequences are added on the way", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(sequence, { maxLength: 4 }), sequence), { maxLength: 5 }), (rounds) => {
        const automaton = createUnitAutomaton();
        const state = automaton.start();
        const added: Units[] = [];
        let read: Units = [];
        for (const [sequences, text] of rounds) {
          for (const one of sequences) automaton.add({ units: one, by });
          added.push(...sequences);
          // What was added begins after it.
          if (sequences.length > 0) {
            Object.assign(state, automaton.start());
            read = [];
          }
          for (const unit of text) {
            read = [...read, unit];
            automaton.next(state, unit);
            expect(automaton.found(state)?.count ?? 0).toBe(foundSlowly(added, read));
            automaton.leaveEnd(state);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test("takes any of several units as a sequence's last one, and as the first one of all", () => {
    const automaton = createUnitAutomaton({ unit: 100, any: new Set([1, 2]) });
    expect(automaton.add({ units: [100, 7], lasts: [8, 9], by })).toBe(true);
    expect(automaton.add({ units: [100, 7], lasts: [8, 9], by })).toBe(false);
    const found = (read: Units) => {
      const state = automaton.start();
      for (const unit of read) automaton.next(state, unit);
      return automaton.found(state)?.count ?? 0;
    };
    expect(
      [
        [1, 7, 8],
        [2, 7, 9],
        [2, 1, 7, 9],
        [1, 7, 7],
        [3, 7, 8],
        [100, 7, 8],
        [1, 7],
      ].map(found),
    ).toEqual([3, 3, 3, 0, 0, 0, 0]);
  });

  test("falls back from the end of a sequence of a million equal units", () => {
    const automaton = createUnitAutomaton();
    automaton.add({ units: [...new Array<number>(1_000_000).fill(1), 2], by });
    const state = automaton.start();
    for (let count = 0; count < 1_000_100; count++) automaton.next(state, 1);
    expect(state.depth).toBe(1_000_000);
    automaton.next(state, 3);
    expect(state.depth).toBe(0);
  });
});
