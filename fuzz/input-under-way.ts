/** Header: the length of the input, and how many were written before it. */
const HEADER_WORDS = 2;
const HEADER_BYTES = HEADER_WORDS * 4;
/** Mutations stay below it. */
const MAX_INPUT_BYTES = 2 * 1024 * 1024;

/** The input that a worker runs, and its number. */
export interface InputUnderWay {
  readonly number: number;
  readonly input: Uint8Array;
}

/**
 * Memory in which a worker leaves each input before it runs it: of one that never comes back nothing else would be
 * known.
 */
export function createInputUnderWay(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + MAX_INPUT_BYTES);
}

export function writeInput(memory: SharedArrayBuffer, input: Uint8Array): void {
  const header = new Int32Array(memory, 0, HEADER_WORDS);
  new Uint8Array(memory, HEADER_BYTES).set(input.subarray(0, MAX_INPUT_BYTES));
  Atomics.store(header, 0, Math.min(input.length, MAX_INPUT_BYTES));
  Atomics.add(header, 1, 1);
}

export function readInput(memory: SharedArrayBuffer): InputUnderWay {
  const header = new Int32Array(memory, 0, HEADER_WORDS);
  return {
    number: Atomics.load(header, 1),
    input: Uint8Array.from(new Uint8Array(memory, HEADER_BYTES, Atomics.load(header, 0))),
  };
}
