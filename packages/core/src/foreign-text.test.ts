import { expect, test } from "vitest";
import { decodeText, escapeControls, excerpt, quote, trimEndOf } from "./foreign-text.ts";

test.each([
  ["plain text stays as it is, other alphabets too", "naïve ключ 鍵 🔑", "naïve ключ 鍵 🔑"],
  ["terminal sequences", "\x1b[2J\x1b]0;title\x07", "\\u001b[2J\\u001b]0;title\\u0007"],
  ["the C1 form of a terminal sequence, and DEL", "\x9b2J\x7f", "\\u009b2J\\u007f"],
  ["line breaks and tabs", "a\r\nb\tc\u2028d\u2029e\x85f", "a\\r\\nb\\tc\\u2028d\\u2029e\\u0085f"],
  ["characters that turn the direction", "a\u202eb\u2066c\u200fd\u061ce", "a\\u202eb\\u2066c\\u200fd\\u061ce"],
  ["characters without a width", "a\u200bb\ufeffc\u00add\u{e0041}e", "a\\u200bb\\ufeffc\\u00add\\u{e0041}e"],
  ["half of a pair", "a\ud83d", "a\\ud83d"],
  ["NUL and backspace", "a\0b\b", "a\\u0000b\\u0008"],
])("%s: what can't be seen is escaped", (_, text, shown) => {
  expect(escapeControls(text)).toBe(shown);
  expect(excerpt(text)).toBe(shown);
});

test("an excerpt has at most 120 characters of the text and never half a character", () => {
  expect(excerpt("x".repeat(120))).toBe("x".repeat(120));
  expect(excerpt("x".repeat(121))).toBe(`${"x".repeat(120)}…`);
  expect(excerpt(`${"x".repeat(119)}🔑y`)).toBe(`${"x".repeat(119)}…`);
  expect(excerpt(`${"x".repeat(118)}🔑y`)).toBe(`${"x".repeat(118)}🔑…`);
});

test("a quotation can't be ended from within", () => {
  expect(quote('a" is fine; "b\\')).toBe('"a\\" is fine; \\"b\\\\"');
  expect(quote('"'.repeat(5_000_000))).toBe(`"${'\\"'.repeat(120)}…"`);
});

const utf16 = (text: string) => Buffer.from(text, "utf16le");
const TEXT = "kind: é😀\r\n";

test.each([
  ["UTF-8", Buffer.from(TEXT)],
  ["UTF-8 with a byte order mark", Buffer.from(`\ufeff${TEXT}`)],
  ["UTF-16, little end first", utf16(`\ufeff${TEXT}`)],
  ["UTF-16, big end first", utf16(`\ufeff${TEXT}`).swap16()],
])("reads %s", (_, bytes) => {
  expect(decodeText(bytes)).toBe(TEXT);
  expect(decodeText(bytes.subarray(0, 0))).toBe("");
});

test.each([
  ["Latin-1", Buffer.from("é", "latin1")],
  ["UTF-16 without a byte order mark", utf16("kind: x")],
  ["UTF-32", Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0])],
  ["half of a pair of surrogates", Buffer.from([0xff, 0xfe, 0x00, 0xd8])],
  ["half of a UTF-16 unit", Buffer.from([0xff, 0xfe, 0x61])],
  ["a cut UTF-8 character", Buffer.from("é").subarray(0, 1)],
])("%s is no text", (_, bytes) => {
  expect(decodeText(bytes)).toBeUndefined();
});

test.each([
  ["", ""],
  ["/", ""],
  ["//a//b//", "//a//b"],
  ["a", "a"],
  [`${"/".repeat(1_000_000)}x`, `${"/".repeat(1_000_000)}x`],
])("%#: what stands at the end is taken off, and nothing else", (text, trimmed) => {
  expect(trimEndOf(text, "/")).toBe(trimmed);
});
