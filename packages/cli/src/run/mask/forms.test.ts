import { inspect } from "node:util";
import { SecretValue } from "@flyte-secrets/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OUTPUT_MASK } from "./covered-output.ts";
import { createMask, type Mask } from "./mask.ts";

function maskOf(value: string | Uint8Array): Mask {
  const mask = createMask();
  mask.add(typeof value === "string" ? SecretValue.fromText(value) : SecretValue.fromBytes(value));
  return mask;
}

/** The same output in chunks that end where `cuts` say. */
function throughFilter(mask: Mask, output: Buffer, cuts: readonly number[]): string {
  const filter = mask.filter();
  const places = [...new Set([0, ...cuts.map((cut) => cut % (output.length + 1)), output.length])].sort(
    (a, b) => a - b,
  );
  const chunks = places.slice(1).map((end, index) => output.subarray(places[index], end));
  return Buffer.concat([...chunks.map((chunk) => filter.write(chunk)), filter.end()]).toString();
}

const upper = (text: string) => text.toUpperCase();
const hex = (text: string) => Buffer.from(text).toString("hex");
const base64 = (text: string) => Buffer.from(text).toString("base64");
const pairs = (text: string, between: string) => (text.match(/../g) ?? []).join(between);
const ascii = (json: string) =>
  json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
const escapeAll = (text: string, prefix: string) => prefix + pairs(hex(text), prefix);
const html = (text: string, number: (code: number) => string) =>
  text.replace(/[^A-Za-z0-9 ]/gu, (character) => `&#${number(character.codePointAt(0) ?? 0)};`);

const escapeUnits = (text: string) =>
  text.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

function pythonEscape(code: number): string {
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/** Some names of HTML, from its standard. */
const HTML_NAMES: Readonly<Record<string, string>> = {
  "&": "amp",
  "<": "lt",
  ">": "gt",
  '"': "quot",
  "'": "apos",
  "\u00e9": "eacute",
  "\u00fc": "uuml",
  "\u00f6": "ouml",
  "\u20ac": "euro",
  "\n": "NewLine",
  "\t": "Tab",
  "@": "commat",
  "/": "sol",
  "\\": "bsol",
};

/** What programs make of a text on its way into their output, each with the value alone between two marks. */
const ENCODINGS: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  JSON: (text) => JSON.stringify(text).slice(1, -1),
  "JSON in JSON": (text) => JSON.stringify(JSON.stringify(text)).slice(3, -3),
  "JSON in JSON in JSON": (text) => JSON.stringify(JSON.stringify(JSON.stringify(text))).slice(7, -7),
  "JSON in ASCII": (text) => ascii(JSON.stringify(text)).slice(1, -1),
  "JSON in ASCII, digits in upper case": (text) =>
    ascii(JSON.stringify(text))
      .slice(1, -1)
      .replace(/\\u.{4}/g, (code) => `\\u${upper(code.slice(2))}`),
  "JSON with \\/": (text) => JSON.stringify(text).slice(1, -1).replaceAll("/", "\\/"),
  "JSON of PHP in JSON": (text) => JSON.stringify(ascii(JSON.stringify(text)).replaceAll("/", "\\/")).slice(3, -3),
  "a URL": encodeURIComponent,
  "a URL, digits in lower case": (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
  "a URL in a URL": (text) => encodeURIComponent(encodeURIComponent(text)),
  "a form": (text) => new URLSearchParams({ v: text }).toString().slice(2),
  "JSON in a URL": (text) => encodeURIComponent(JSON.stringify(text)).slice(3, -3),
  "a URL with everything escaped": (text) => escapeAll(text, "%"),
  "HTML, decimal": (text) => html(text, String),
  "HTML, hexadecimal": (text) => html(text, (code) => `x${code.toString(16)}`),
  "HTML, decimal, letters too": (text) => text.replace(/./gsu, (character) => `&#${character.codePointAt(0)};`),
  "HTML, hexadecimal, letters too": (text) =>
    text.replace(/./gsu, (character) => `&#x${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")};`),
  "HTML of JSON, letters too": (text) =>
    JSON.stringify(text)
      .slice(1, -1)
      .replace(/./gsu, (character) => `&#${character.codePointAt(0)};`),
  "JSON, letters too": escapeUnits,
  "JSON in JSON, letters too": (text) => JSON.stringify(JSON.stringify(escapeUnits(text)).slice(1, -1)).slice(1, -1),
  "JSON of ASCII around JSON": (text) => ascii(JSON.stringify(JSON.stringify(text))).slice(3, -3),
  "JSON in a URL, letters too": (text) => escapeAll(JSON.stringify(text).slice(1, -1), "%"),
  "a URL in a URL, letters too": (text) => encodeURIComponent(escapeAll(text, "%")),
  "HTML, all named": (text) =>
    text.replace(/[^A-Za-z0-9 ]/gu, (character) => `&${HTML_NAMES[character] ?? `#${character.codePointAt(0)}`};`),
  "ASCII with references, as Python writes it": (text) =>
    text.replace(/[\u{80}-\u{10ffff}]/gu, (character) => `&#${character.codePointAt(0)};`),
  "ASCII with backslashes, as Python writes it": (text) =>
    text.replace(/[\u{80}-\u{10ffff}]/gu, (character) => pythonEscape(character.codePointAt(0) ?? 0)),
  "a field of CSV": (text) => text.replaceAll('"', '""'),
  "a string of SQL": (text) => text.replaceAll("'", "''"),
  "HTML, named": (text) =>
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      .replaceAll("'", "&#039;"),
  "a quoted shell word": (text) => text.replaceAll("'", "'\\''"),
  "an escaped shell word": (text) => text.replace(/[^A-Za-z0-9_\n\t]/gu, "\\$&"),
  hex: hex,
  "hex in upper case": (text) => upper(hex(text)),
  "hex with blanks": (text) => pairs(hex(text), " "),
  "hex with colons": (text) => pairs(upper(hex(text)), ":"),
  "hex in C": (text) => `0x${pairs(hex(text), ", 0x")}`.slice(2),
  "hex escapes": (text) => escapeAll(text, "\\x").slice(2),
  "numbers, each on a line": (text) => JSON.stringify([...Buffer.from(text)], null, 2).slice(4, -2),
  "numbers, each on an indented line": (text) => [...Buffer.from(text)].join(`,\r\n${" ".repeat(40)}`),
  "numbers, each on a line, in JSON": (text) => [...Buffer.from(text)].join(",\\n  "),
  numbers: (text) => [...Buffer.from(text)].join(","),
  base64: base64,
  base64url: (text) => Buffer.from(text).toString("base64url"),
  "base64 in a URL": (text) => encodeURIComponent(base64(text)),
  "base64 in JSON with \\/": (text) => base64(text).replaceAll("/", "\\/"),
  "base64 in lines": (text) => base64(text).replace(/.{10}(?=.)/g, "$&\n"),
  "base64 in lines in JSON": (text) => base64(text).replace(/.{10}(?=.)/g, "$&\\n"),
  composed: (text) => text.normalize("NFC"),
  decomposed: (text) => text.normalize("NFD"),
};

const AWKWARD = `p@ss "w'ö\\rd"/<é&ü>+=%41\ttwo\nlines?`;

describe("a value in output", () => {
  test.each(Object.keys(ENCODINGS))("is masked as %s", (name) => {
    const shown = ENCODINGS[name]?.(AWKWARD) ?? "";
    expect(maskOf(AWKWARD).text(`<${shown}>`)).toMatch(/^<(\\x|0x|%)?\*\*\*>$/);
  });

  test("is masked in every encoding, whatever text it is and however the output is cut", () => {
    const unit = fc.constantFrom(..."abzAZ09 _-.~!*'()\"\\/+=%&<>;:,#?\t\n\u00e9\u00fc\u20ac\u{1f511}");
    const value = fc.string({ unit, minLength: 4, maxLength: 120 }).filter((text) => text.trim().length >= 4);
    fc.assert(
      fc.property(
        value,
        fc.constantFrom(...Object.keys(ENCODINGS)),
        fc.array(fc.nat(1000), { maxLength: 6 }),
        (text, name, cuts) => {
          const trimmed = text.trim();
          const shown = ENCODINGS[name]?.(trimmed) ?? "";
          const output = Buffer.from(`[${shown}]`);
          const mask = maskOf(text);
          const masked = throughFilter(mask, output, cuts);
          // What isn't the value's (a prefix such as \x, brackets) stays.
          expect(masked).toMatch(/^\[(\\x|%)?\*\*\*\]$/);
          expect(throughFilter(mask, output, [])).toBe(masked);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("is masked among other bytes in base64, at every offset", () => {
    const secret = "s3cr3t/pa+ss";
    const headers = ["u", "us", "use"].map((user) => `Authorization: Basic ${base64(`${user}:${secret}`)}`);
    const cookie = (before: string) => `${base64(`${before}${secret}; path=/`)}`;
    for (const header of headers) expect(maskOf(secret).text(header)).toMatch(/^Authorization: Basic \w{1,5}\*\*\*=*$/);
    for (const before of ["", "a", "ab", "abc"])
      expect(maskOf(secret).text(cookie(before))).toMatch(/^\w*\*\*\*\w+=*$/);
  });

  test("is masked as Node and Python show bytes, also where they show only the beginning", () => {
    const bytes = Uint8Array.from({ length: 200 }, (_, at) => (at * 89 + 7) % 256);
    const mask = maskOf(bytes);
    expect(mask.text(inspect(Buffer.from(bytes)))).toBe("<Buffer *** ... 150 more bytes>");
    expect(mask.text(JSON.stringify(Buffer.from(bytes)))).toBe('{"type":"Buffer","data":[***]}');
    expect(mask.text(inspect(bytes))).toMatch(/^Uint8Array\(200\) \[\s+\*\*\*,\s+\.\.\. 100 more items\s+\]$/);
    expect(maskOf("caf\u00e9\n'now'").text("b'caf\\xc3\\xa9\\n\\'now\\''")).toBe("b'***'");
  });

  test("is masked as JSON shows a Buffer, however far it is indented", () => {
    const mask = maskOf("s3cret value");
    const buffer = Buffer.from("s3cret value");
    for (const shown of [
      JSON.stringify({ a: [{ buffer }] }, null, 4),
      JSON.stringify(buffer, null, "\t"),
      JSON.stringify(JSON.stringify(buffer, null, 2)),
    ]) {
      expect(mask.text(shown).replace(/\\[nt]|\s/g, "")).toMatch(/data\\?":\[\*\*\*\]/);
    }
  });

  test("that is JSON is masked also text by text, but not key by key", () => {
    const value = { user: "deploy-bot", password: 'p"1\n-x', pin: "abc", nested: [{ token: "t0ken/é" }], port: 54321 };
    const mask = maskOf(JSON.stringify(value));
    const shown = `${value.user} ${value.password} ${JSON.stringify(value.password)} ${encodeURIComponent("t0ken/é")} abc password 54321`;
    expect(mask.text(shown)).toBe('*** *** "***" *** abc password 54321');
    expect(mask.text(JSON.stringify(value))).toBe("***");
    // Lines of text are no JSON.
    expect(maskOf('{"user": "deploy-bot"').text("deploy-bot")).toBe("deploy-bot");
  });

  test("leaves text alone that is none of its forms", () => {
    const output = 'The quick brown fox {"jumps":[1, 22, 97,98]} over %41 &amp; \\u00e9 aGVsbG8gd29ybGQ= 68656c6c6f';
    expect(maskOf("correct-horse-battery-staple").text(output)).toBe(output);
  });

  test("is no reason to hold a line's end back: what follows a value comes at once", () => {
    for (const end of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
      const value = `c2VjcmV0-c2VjcmV0-${end}`;
      expect(
        maskOf(value)
          .filter()
          .write(Buffer.from(`it is ${value}\n`))
          .toString(),
      ).toBe("it is ***\n");
      expect(
        maskOf(value)
          .filter()
          .write(Buffer.from(`${end}\n`))
          .toString(),
      ).toBe(`${end}\n`);
      // As numbers, as hex and as JSON it may begin that way, too.
      for (const line of [
        end.charCodeAt(0).toString(),
        end.charCodeAt(0).toString(16),
        `\\u00${end.charCodeAt(0).toString(16)}`,
      ]) {
        expect(
          maskOf(`${end}-value`)
            .filter()
            .write(Buffer.from(`it took ${line}\n`))
            .toString(),
        ).toBe(`it took ${line}\n`);
      }
    }
  });

  test("takes time in proportion to the output, also for a value that repeats itself", () => {
    const mask = maskOf(new Uint8Array(1 << 20).fill(97));
    const output = Buffer.alloc(1 << 20, "a");
    const filter = mask.filter();
    const masked = [];
    for (let at = 0; at < output.length; at += 4096) masked.push(filter.write(output.subarray(at, at + 4096)));
    expect(Buffer.concat([...masked, filter.end()]).toString()).toBe(OUTPUT_MASK);
  });
});
