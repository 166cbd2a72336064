import { mutateJson } from "./mutate-json.ts";
import type { Random } from "./random.ts";

export interface MutateOptions {
  readonly random: Random;
  /** Inputs to take pieces from; not empty. */
  readonly corpus: readonly Uint8Array[];
  readonly dictionary: readonly Uint8Array[];
  readonly maxBytes: number;
}

/** Once in so many, an input grows to this many times `maxBytes`: what takes more than linear time shows only then. */
const PUMPED_ONCE_IN = 64;
const PUMPED_TIMES = 16;
const MAX_PUMPED_BYTES = 1024 * 1024;

/**
 * A changed copy of `input`: one to eight changes, of bytes, words, lines, numbers or, where it is JSON, of its parts.
 */
export function mutate(input: Uint8Array, options: MutateOptions): Uint8Array {
  const { random, maxBytes } = options;
  let changed = input;
  for (let left = 1 + random.below(8); left > 0; left--) {
    const change = random.pick(CHANGES);
    changed = change(changed, options).subarray(0, maxBytes);
  }
  return random.oneIn(PUMPED_ONCE_IN) ? pump(changed, options) : changed;
}

type Change = (input: Uint8Array, options: MutateOptions) => Uint8Array;

const flipBit: Change = (input, { random }) => {
  if (input.length === 0) return input;
  const copy = Uint8Array.from(input);
  const at = random.below(copy.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
  return copy;
};

/** Bytes that parsers treat in a special way. */
const ODD_BYTES = Buffer.from(" \t\n\r\0\"'`\\/:;,.{}[]()=&?%#+-_~@!*|<>$^\x7f\x80\xc0\xed\xf0\xff", "latin1");

const setByte: Change = (input, { random }) => {
  if (input.length === 0) return input;
  const copy = Uint8Array.from(input);
  copy[random.below(copy.length)] = random.oneIn(2) ? random.below(256) : random.pick([...ODD_BYTES]);
  return copy;
};

const insertWord: Change = (input, options) =>
  splice(input, options.random.below(input.length + 1), 0, someWord(options));

const replaceByWord: Change = (input, options) => {
  const { start, end } = someRange(input, options.random);
  return splice(input, start, end - start, someWord(options));
};

const removeRange: Change = (input, { random }) => {
  const { start, end } = someRange(input, random);
  return splice(input, start, end - start, new Uint8Array());
};

const copyRange: Change = (input, { random }) => {
  const { start, end } = someRange(input, random);
  return splice(input, random.below(input.length + 1), 0, input.subarray(start, end));
};

const takeFromOther: Change = (input, { random, corpus }) => {
  const other = random.pick(corpus);
  const { start, end } = someRange(other, random);
  const replaced = random.oneIn(2) ? 0 : end - start;
  return splice(input, random.below(input.length + 1), replaced, other.subarray(start, end));
};

/** Numbers at which something often changes. */
const NUMBERS = ["0", "-1", "1", "255", "256", "65536", "2147483647", "-2147483648", "4294967296", "9007199254740993"];

const changeNumber: Change = (input, { random }) => {
  const numbers = [...Buffer.from(input).toString("latin1").matchAll(/\d+/g)];
  if (numbers.length === 0) return input;
  const { index, 0: digits } = random.pick(numbers);
  const number = random.oneIn(8) ? "1e999" : random.pick(NUMBERS);
  return splice(input, index, digits.length, Buffer.from(number));
};

const moveLine: Change = (input, { random }) => {
  const lines = Buffer.from(input).toString("latin1").split("\n");
  const [line = ""] = lines.splice(random.below(lines.length), random.oneIn(2) ? 1 : 0);
  lines.splice(random.below(lines.length + 1), 0, line);
  return Buffer.from(lines.join("\n"), "latin1");
};

const CHANGES: readonly Change[] = [
  flipBit,
  setByte,
  setByte,
  insertWord,
  insertWord,
  replaceByWord,
  removeRange,
  removeRange,
  copyRange,
  takeFromOther,
  takeFromOther,
  changeNumber,
  moveLine,
  (input, options) => mutateJson(input, options),
  (input, options) => mutateJson(input, options),
];

function someWord({ random, dictionary }: MutateOptions): Uint8Array {
  return dictionary.length > 0 ? random.pick(dictionary) : ODD_BYTES.subarray(0, 1 + random.below(ODD_BYTES.length));
}

/** Repeats a short piece until the input is as long as it may become. */
function pump(input: Uint8Array, { random, maxBytes }: MutateOptions): Uint8Array {
  const at = random.below(input.length + 1);
  const piece = input.subarray(at, at + 1 + random.below(24));
  if (piece.length === 0) return input;
  const times = Math.floor((Math.min(maxBytes * PUMPED_TIMES, MAX_PUMPED_BYTES) - input.length) / piece.length);
  return splice(input, at, 0, Buffer.concat(Array.from({ length: Math.max(0, times) }, () => piece)));
}

/** Mostly short ones. */
function someRange(input: Uint8Array, random: Random): { start: number; end: number } {
  const start = random.below(input.length + 1);
  const longest = random.oneIn(4) ? input.length : 16;
  return { start, end: Math.min(input.length, start + 1 + random.below(longest)) };
}

function splice(input: Uint8Array, start: number, removed: number, inserted: Uint8Array): Uint8Array {
  return Buffer.concat([input.subarray(0, start), inserted, input.subarray(start + removed)]);
}
