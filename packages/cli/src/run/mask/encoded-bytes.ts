import type { Form, Writing } from "./form.ts";

const ascii = (...texts: readonly string[]): readonly Uint8Array[] => texts.map((text) => Buffer.from(text, "latin1"));

/** Every way to write each byte, made once. */
function byteWriting(waysOf: (byte: number) => readonly Uint8Array[], rest: Omit<Writing, "waysOf"> = {}): Writing {
  const ways = Array.from({ length: 256 }, (_, byte) => waysOf(byte));
  return { waysOf: (byte) => ways[byte] ?? [], ...rest };
}

/** As they are. */
const PLAIN = byteWriting((byte) => [Uint8Array.of(byte)]);

/** `6162`, `61 62` as Node shows a Buffer, `61:62`, `0x61, 0x62`, `\x61\x62`, `%61%62`; digits in any case. */
const HEX = byteWriting(
  (byte) => {
    const [high = "", low = ""] = byte.toString(16).padStart(2, "0");
    const cases = (digit: string) => [...new Set([digit, digit.toUpperCase()])];
    return ascii(...cases(high).flatMap((first) => cases(low).map((second) => first + second)));
  },
  { gaps: ascii(" ", ":", ",", "-", "\\x", "%", "0x"), wraps: ascii("\n", "\r") },
);

/**
 * `97,98` as in the JSON of a Buffer, also with each number on a line of its own, `97, 98` as Node shows a Uint8Array.
 * A line that ends in a number and a comma has another one after it, so that it may wait for that.
 */
const DECIMAL = byteWriting((byte) => ascii(String(byte)), {
  gaps: ascii(",\\n", ",\r\n", ",\n", ",", " ", "\t", "\\t"),
  wraps: ascii("\n", "\r"),
  needsGap: true,
});

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\" };

/** As Python shows bytes: `caf\xc3\xa9\n`. */
const ESCAPED = byteWriting((byte) => {
  const character = String.fromCharCode(byte);
  const hex = byte.toString(16).padStart(2, "0");
  const own = SHORT_ESCAPES[character] ?? (byte < 0x20 || byte > 0x7e ? [] : character);
  return ascii(
    `\\x${hex}`,
    `\\x${hex.toUpperCase()}`,
    ...[own].flat(),
    ...("'\"".includes(character) ? [`\\${character}`] : []),
  );
});

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PADDING = 1 << 12;

/** Ways to write the 64 characters: those of base64url too, and as URLs and JSON escape them. */
const CHARACTER_WAYS: readonly (readonly Uint8Array[])[] = [...BASE64].map((character) => {
  if (character === "+") return ascii("%2B", "%2b", "+", "-");
  return character === "/" ? ascii("%2F", "%2f", "\\/", "/", "_") : ascii(character);
});

const PADDING_WAYS = ascii("%3D", "%3d", "=");

/** All six bits of a character. */
const ALL = 63;

/** Units are `bits + 64 * known`: what is known of the six bits of a character, and which of them are known. */
const unitOf = (bits: number, known = ALL) => bits + 64 * known;

/** The characters that may stand for a unit of which not all is known. */
function charactersOf(unit: number): readonly number[] {
  const known = unit >> 6;
  return [...BASE64].flatMap((_, character) => ((character & known) === (unit & ALL) ? [unitOf(character)] : []));
}

const BASE64_WRITING: Writing = {
  waysOf(unit) {
    if (unit === PADDING) return PADDING_WAYS;
    return charactersOf(unit).flatMap((character) => CHARACTER_WAYS[character & ALL] ?? []);
  },
  // Lines of it may be wrapped, and indented.
  wraps: ascii("\n", "\r", "\\n", "\\r", " "),
};

/** Of forms that begin within a character: by what is known of it, 20 of them. */
const WRITINGS_FROM = new Map<number, Writing>();

function writingFrom(first: number): Writing {
  if (first >> 6 === ALL) return BASE64_WRITING;
  let writing = WRITINGS_FROM.get(first);
  if (writing === undefined) {
    writing = { ...BASE64_WRITING, first: { unit: first, any: new Set(charactersOf(first)) } };
    WRITINGS_FROM.set(first, writing);
  }
  return writing;
}

/** The value among other bytes in base64: `offset` of them, modulo 3, come before it, and any after it. */
function base64Form(bytes: Uint8Array, offset: number): Form {
  const from = (offset * 8) % 6;
  const count = Math.ceil((from + bytes.length * 8) / 6);
  const units = new Uint16Array(count);
  for (let at = 0; at < count; at++) {
    let bits = 0;
    let known = 0;
    for (let bit = at * 6 - from; bit < at * 6 - from + 6; bit++) {
      const isKnown = bit >= 0 && bit < bytes.length * 8;
      bits = bits * 2 + (isKnown ? ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1 : 0);
      known = known * 2 + (isKnown ? 1 : 0);
    }
    units[at] = unitOf(bits, known);
  }
  const writing = writingFrom(units[0] ?? 0);
  const last = units[count - 1] ?? 0;
  if (last >> 6 === ALL) return { units, writing };
  return { units: units.subarray(0, -1), writing, lasts: charactersOf(last) };
}

/** The value alone in base64, with its padding. */
function paddedBase64Form(bytes: Uint8Array): Form {
  const text = Buffer.from(bytes).toString("base64");
  const units = Uint16Array.from(text, (character) =>
    character === "=" ? PADDING : unitOf(BASE64.indexOf(character)),
  );
  return { units, writing: BASE64_WRITING };
}

/** `bytes` as they are. */
export function plainForm(bytes: Uint8Array): Form {
  return { units: bytes, writing: PLAIN };
}

/** `bytes` in the ways that output encodes any bytes: hex, numbers, escapes and base64, alone or among others. */
export function encodedForms(bytes: Uint8Array): readonly Form[] {
  const writings = [HEX, DECIMAL, ESCAPED].map((writing): Form => ({ units: bytes, writing }));
  return [...writings, ...[0, 1, 2].map((offset) => base64Form(bytes, offset)), paddedBase64Form(bytes)];
}
