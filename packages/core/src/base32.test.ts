import fc from "fast-check";
import { expect, test } from "vitest";
import { BASE32_LOWER, BASE32_STANDARD, encodeBase32Lower } from "./base32.ts";

// RFC 4648, section 10, without its padding.
test.each([
  ["", ""],
  ["f", "MY"],
  ["fo", "MZXQ"],
  ["foo", "MZXW6"],
  ["foob", "MZXW6YQ"],
  ["fooba", "MZXW6YTB"],
  ["foobar", "MZXW6YTBOI"],
])("%j is %s in RFC 4648's alphabet", (text, encoded) => {
  expect(BASE32_STANDARD.encode(Buffer.from(text))).toBe(encoded);
  expect(BASE32_STANDARD.decode(encoded)).toEqual(Buffer.from(text));
});

test("the lower-case alphabet differs from it in its digits too", () => {
  expect(encodeBase32Lower('key: "my_key"\n')).toBe("nnsxsoraejwxsx2lmv3secq");
  expect(encodeBase32Lower("é")).toBe("youq");
});

test("any bytes come back from either alphabet", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(BASE32_LOWER, BASE32_STANDARD), (bytes, base32) => {
      expect(base32.decode(base32.encode(bytes))).toEqual(Buffer.from(bytes));
    }),
  );
});

test.each(["a", "abc", "abcdef", "a0", "a7", "aA", "ab==", "a b", "aé", "a\u{1f600}"])("%j is not base32", (text) => {
  expect(BASE32_LOWER.decode(text)).toBeUndefined();
});
