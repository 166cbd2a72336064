import { characterEntities } from "character-entities";
import type { Form, Writing } from "./form.ts";

/** All ways in which something writes a character. */
type Escaping = (character: string) => readonly string[];

const SHORT: Readonly<Record<string, string>> = {
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
};

/** The names that HTML has for each character. */
const NAMES = Map.groupBy(Object.keys(characterEntities), (name) => characterEntities[name]);

const eachCase = (digits: string): readonly string[] => [digits.toLowerCase(), digits.toUpperCase()];

/** JSON of any writer, and what Node and Python show of a text: `\n`, `\"`, `\/`, `\u00e9`, `\xe9`. */
const json: Escaping = (character) => {
  const units = Array.from({ length: character.length }, (_, at) =>
    character.charCodeAt(at).toString(16).padStart(4, "0"),
  );
  const unicode = eachCase(units.join("")).map((digits) => digits.replace(/.{4}/g, "\\u$&"));
  const code = character.codePointAt(0) ?? 0;
  const byte = code < 256 ? eachCase(code.toString(16).padStart(2, "0")).map((digits) => `\\x${digits}`) : [];
  // As Python and newer JavaScript have it.
  const long =
    code < 0x10000 ? [] : eachCase(code.toString(16)).flatMap((hex) => [`\\U${hex.padStart(8, "0")}`, `\\u{${hex}}`]);
  const short = SHORT[character] ?? (/[\\"'/]/.test(character) ? `\\${character}` : undefined);
  return [
    ...(character === "\\" ? [] : [character]),
    ...(short === undefined ? [] : [short]),
    ...unicode,
    ...byte,
    ...long,
  ];
};

/** URLs and forms of any writer. In a form, a blank may be `+`: see {@link toUnits}. */
const percent: Escaping = (character) => {
  const escaped = eachCase(Buffer.from(character).toString("hex")).map((digits) => digits.replace(/../g, "%$&"));
  return [...(character === "%" ? [] : [character]), ...escaped];
};

/** HTML and XML. */
const html: Escaping = (character) => {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  const digits = [hex, hex.padStart(4, "0")].flatMap(eachCase);
  const numbered = [String(code), `0${code}`, ...digits.map((each) => `x${each}`)].map((number) => `&#${number};`);
  const named = NAMES.get(character)?.map((name) => `&${name};`) ?? [];
  return [...(character === "&" ? [] : [character]), ...named, ...numbered];
};

/** As Python and others write a text in ASCII, with all that is ASCII as it is, backslashes and ampersands too. */
const inAscii =
  (escaping: Escaping): Escaping =>
  (character) =>
    NOT_ASCII.test(character) ? escaping(character) : [character];

/** A shell's word in single quotes: all as it is but the quotes themselves. */
const shellQuoted: Escaping = (character) => (character === "'" ? ["'\\''", "'\"'\"'"] : [character]);

/** A shell's word without quotes, or in double ones: `printf %q`. */
const shellEscaped: Escaping = (character) => {
  if (UNESCAPED.test(character)) return [character];
  return character === "\\" ? ["\\\\"] : [character, `\\${character}`];
};

/** A field of CSV. */
const csv: Escaping = (character) => [character === '"' ? '""' : character];

/** A string of SQL, and of YAML in single quotes. */
const sql: Escaping = (character) => [character === "'" ? "''" : character];

/** JSON around what is escaped already, as nearly all writers have it. */
const quoted: Escaping = (character) => (/[\\"]/.test(character) ? [`\\${character}`] : [character]);

const NOT_ASCII = /[\u{80}-\u{10ffff}]/u;

const UNESCAPED = /^[A-Za-z0-9]$/;

/** So many ways of escaping a character, counted from the last one, are also used for each character of an escape. */
const STYLES = 6;

/**
 * `outer` of what `inner` makes of a character. Of an escape, letters and digits stay as they are, or all of it is
 * escaped in one style. A character that `inner` leaves alone is written in all ways of `outerAlone`; if that is given,
 * an escape is written in no style of it.
 */
function nested(outer: Escaping, inner: Escaping, outerAlone?: Escaping): Escaping {
  const appendWays = (texts: string[], character: string) => {
    const ways = UNESCAPED.test(character) ? [character] : outer(character);
    return texts.flatMap((text) => ways.map((way) => text + way));
  };
  const inStyle = (text: string, style: number) => {
    const ways = Array.from(text, (character) => outer(character).toReversed());
    return ways.map((each) => each[style] ?? each[0]).join("");
  };
  const styles = Array.from({ length: outerAlone === undefined ? STYLES : 0 }, (_, style) => style);
  return (character) =>
    inner(character).flatMap((text) => {
      if (text === character) return (outerAlone ?? outer)(text);
      return [...[...text].reduce(appendWays, [""]), ...styles.map((style) => inStyle(text, style))];
    });
}

/** Characters of which all ways are known at the same time; more of them are looked for only as they are. */
const MAX_CHARACTERS = 4_096;

function toWriting(escaping: Escaping): Writing {
  const known = new Map<number, readonly Uint8Array[]>();
  return {
    waysOf(code) {
      let ways = known.get(code);
      if (ways !== undefined) return ways;
      const character = String.fromCodePoint(code);
      if (known.size >= MAX_CHARACTERS && code > 127) return [Buffer.from(character)];
      ways = [...new Set(escaping(character))].map((text) => Buffer.from(text));
      known.set(code, ways);
      return ways;
    },
  };
}

/**
 * A way to escape, and what a text must have in it to be looked for in it: without that, another one has all of its
 * ways.
 */
interface Kind {
  readonly escaping: Escaping;
  readonly having?: RegExp;
  /** Whether a blank may be `+`. */
  readonly isForm?: boolean;
}

const jsonInJson = nested(quoted, json, json);
const KINDS: readonly Kind[] = [
  { escaping: json, having: /\\/ },
  { escaping: jsonInJson, having: /\\/ },
  { escaping: nested(quoted, jsonInJson, json) },
  { escaping: percent, having: /%/, isForm: true },
  { escaping: nested(percent, percent), isForm: true },
  { escaping: nested(percent, json), isForm: true },
  { escaping: html, having: /\\/ },
  { escaping: nested(html, json) },
  { escaping: inAscii(json), having: NOT_ASCII },
  { escaping: inAscii(html), having: NOT_ASCII },
  { escaping: shellQuoted, having: /'/ },
  { escaping: shellEscaped, having: /[^A-Za-z0-9]/ },
  { escaping: csv, having: /"/ },
  { escaping: sql, having: /'/ },
];

/**
 * In a form, a blank and a plus may look the same: both are the unit of the blank, which is written in the ways of
 * both.
 */
const ofForm =
  (escaping: Escaping): Escaping =>
  (character) =>
    character === " " ? [...escaping(" "), ...escaping("+")] : escaping(character);

function toUnits(text: string): Uint32Array {
  return Uint32Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

/** Makes the forms of a text inside JSON (also twice), URLs, forms, HTML, CSV, SQL and shell words. */
export function createEscapedForms(): (text: string) => readonly Form[] {
  const kinds = KINDS.map(({ escaping, having, isForm = false }) => ({
    writing: toWriting(isForm ? ofForm(escaping) : escaping),
    having,
    isForm,
  }));
  return (text) => {
    const units = toUnits(text);
    const ofForms = text.includes("+") ? toUnits(text.replaceAll("+", " ")) : units;
    return kinds
      .filter(({ having }) => having === undefined || having.test(text))
      .map(({ writing, isForm }) => ({ units: isForm ? ofForms : units, writing }));
  };
}
