import type { Form, Writing } from "./form.ts";

/** All ways in which something writes a text of one or more characters; the text itself first, where it may stay. */
type Escaping = (text: string) => readonly string[];

const UNESCAPED = /^[A-Za-z0-9]$/;
const SHORT: Readonly<Record<string, string>> = {
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
};
const NAMED: Readonly<Record<string, string>> = {
  '"': "&quot;",
  "&": "&amp;",
  "'": "&apos;",
  "<": "&lt;",
  ">": "&gt;",
};

const eachCase = (digits: string): readonly string[] => [digits.toLowerCase(), digits.toUpperCase()];

/** JSON of any writer, and what Node and Python show of a text: `\n`, `\"`, `\/`, `\u00e9`, `\xe9`. */
const json: Escaping = (character) => {
  const units = Array.from({ length: character.length }, (_, at) =>
    character.charCodeAt(at).toString(16).padStart(4, "0"),
  );
  const unicode = eachCase(units.join("")).map((digits) => digits.replace(/.{4}/g, "\\u$&"));
  const code = character.codePointAt(0) ?? 0;
  const byte = code < 256 ? eachCase(code.toString(16).padStart(2, "0")).map((digits) => `\\x${digits}`) : [];
  const short = SHORT[character] ?? (/[\\"'/]/.test(character) ? `\\${character}` : undefined);
  return [...(character === "\\" ? [] : [character]), ...(short === undefined ? [] : [short]), ...unicode, ...byte];
};

/** URLs and forms of any writer: whatever is no letter or digit may be escaped, and a blank may be `+`. */
const percent: Escaping = (character) => {
  const escaped = eachCase(Buffer.from(character).toString("hex")).map((digits) => digits.replace(/../g, "%$&"));
  return [...(character === "%" ? [] : [character]), ...escaped, ...(character === " " ? ["+"] : [])];
};

/** HTML and XML. */
const html: Escaping = (character) => {
  const code = character.codePointAt(0) ?? 0;
  const numbered = [`&#${code};`, `&#0${code};`, ...eachCase(code.toString(16)).map((digits) => `&#x${digits};`)];
  const named = NAMED[character];
  return [...(character === "&" ? [] : [character]), ...(named === undefined ? [] : [named]), ...numbered];
};

/** A shell's word in single quotes: all as it is but the quotes themselves. */
const shellQuoted: Escaping = (character) => (character === "'" ? ["'\\''", "'\"'\"'"] : [character]);

/** A shell's word without quotes, or in double ones: `printf %q`. */
const shellEscaped: Escaping = (character) => (character === "\\" ? ["\\\\"] : [character, `\\${character}`]);

/** JSON around what is escaped already, as nearly all writers have it. */
const quoted: Escaping = (character) => (/[\\"]/.test(character) ? [`\\${character}`] : [character]);

/** `outer` of what `inner` makes of a character. */
function nested(outer: Escaping, inner: Escaping): Escaping {
  return (character) => inner(character).flatMap((text) => [...text].reduce(appendWays(outer), [""]));
}

const appendWays = (escaping: Escaping) => (texts: string[], character: string) =>
  texts.flatMap((text) => waysOf(escaping, character).map((way) => text + way));

function waysOf(escaping: Escaping, character: string): readonly string[] {
  return UNESCAPED.test(character) ? [character] : escaping(character);
}

/** Longest first. */
function toWriting(escaping: Escaping): Writing {
  const known = new Map<number, readonly Uint8Array[]>();
  return {
    waysOf(code) {
      let ways = known.get(code);
      if (ways === undefined) {
        const texts = [...new Set(waysOf(escaping, String.fromCodePoint(code)))];
        ways = texts.map((text) => Buffer.from(text)).sort((a, b) => b.length - a.length);
        known.set(code, ways);
      }
      return ways;
    },
  };
}

const jsonInJson = nested(quoted, json);
const ESCAPINGS = [
  json,
  jsonInJson,
  nested(quoted, jsonInJson),
  percent,
  nested(percent, percent),
  nested(percent, json),
  html,
  nested(html, json),
  shellQuoted,
  shellEscaped,
];

/** Characters that `escapedForms` writes in more than one way. */
const ESCAPABLE = /[^A-Za-z0-9]/;

/** Makes the forms of a text inside JSON (also twice), URLs, forms, HTML and shell words. None for one that is the same in all of them. */
export function createEscapedForms(): (text: string) => readonly Form[] {
  const writings = ESCAPINGS.map(toWriting);
  return (text) => {
    if (!ESCAPABLE.test(text)) return [];
    const units = Uint32Array.from(text, (character) => character.codePointAt(0) ?? 0);
    return writings.map((writing) => ({ units, writing }));
  };
}
