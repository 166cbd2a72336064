import { expect, test } from "vitest";
import { decodeText } from "./decode-text.ts";

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
