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

/** `97,98` as in the JSON of a Buffer, `97, 98` as Node shows a Uint8Array. */
const DECIMAL = byteWriting((byte) => ascii(String(byte)), {
  gaps: ascii(",", " "),
  wraps: ascii("\n", "\r"),
  needsGap: true,
});

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\" };

/** As Python shows bytes: `caf\xc3\xa9\n`. */
const ESCAPED = byteWriting((byte) => {
  const character = String.fromCharCode(byte);
  const hex = byte.toString(16).padStart(2, "0");
  if (byte < 0x20 || byte > 0x7e) {
    return ascii(`\\x${hex}`, `\\x${hex.toUpperCase()}`, SHORT_ESCAPES[character] ?? `\\x${hex}`);
  }
  return ascii(SHORT_ESCAPES[character] ?? character, ...("'\"".includes(character) ? [`\\${character}`] : []));
});

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PADDING = 1 << 12;

/** Ways to write the 64 characters: those of base64url too, and as URLs and JSON escape them. */
const CHARACTER_WAYS: readonly (readonly Uint8Array[])[] = [...BASE64].map((character) => {
  if (character === "+") return ascii("%2B", "%2b", "+", "-");
  return character === "/" ? ascii("%2F", "%2f", "\\/", "/", "_") : ascii(character);
});

const PADDING_WAYS = ascii("%3D", "%3d", "=");

/** Units are `bits + 64 * known`: what is known of the six bits of a character, and which of them are known. */
const BASE64_WRITING: Writing = {
  waysOf(unit) {
    if (unit === PADDING) return PADDING_WAYS;
    const bits = unit & 63;
    const known = unit >> 6;
    if (known === 63) return CHARACTER_WAYS[bits] ?? [];
    return CHARACTER_WAYS.filter((_, character) => (character & known) === bits).flat();
  },
  // Lines of it may be wrapped, and indented.
  wraps: ascii("\n", "\r", "\\n", "\\r", " "),
};

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
    units[at] = bits + 64 * known;
  }
  return { units, writing: BASE64_WRITING };
}

/** The value alone in base64, with its padding. */
function paddedBase64Form(bytes: Uint8Array): Form {
  const text = Buffer.from(bytes).toString("base64");
  const units = Uint16Array.from(text, (character) =>
    character === "=" ? PADDING : BASE64.indexOf(character) + 64 * 63,
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
