import { SecretValue } from "@flyte-secrets/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OUTPUT_MASK } from "./covered-output.ts";
import { createMask, type Mask } from "./mask.ts";

function maskOf(...values: (string | Uint8Array)[]): Mask {
  const mask = createMask();
  for (const value of values) {
    mask.add(typeof value === "string" ? SecretValue.fromText(value) : SecretValue.fromBytes(value));
  }
  return mask;
}

function throughFilter(mask: Mask, chunks: readonly Uint8Array[]): Buffer {
  const filter = mask.filter();
  return Buffer.concat([...chunks.map((chunk) => filter.write(chunk)), filter.end()]);
}

/** The slow and obvious way: every place where a pattern stands is covered, every covered run becomes one mask. */
function maskSlowly(patterns: readonly Uint8Array[], output: Buffer): Buffer {
  const cover = new Set<number>();
  for (const pattern of patterns) {
    for (let at = output.indexOf(pattern); at !== -1; at = output.indexOf(pattern, at + 1)) {
      for (let offset = 0; offset < pattern.length; offset++) cover.add(at + offset);
    }
  }
  const parts = [...output].map((byte, at) => {
    if (!cover.has(at)) return Buffer.from([byte]);
    return Buffer.from(cover.has(at - 1) ? "" : OUTPUT_MASK);
  });
  return Buffer.concat(parts);
}

// Few different bytes, so that values overlap themselves, each other and the output's chunks all the time.
const narrowBytes = (constraints: { minLength: number; maxLength: number }) =>
  fc.array(fc.constantFrom(97, 98, 0xff), constraints).map((bytes) => Uint8Array.from(bytes));

describe("masking a stream", () => {
  test("covers exactly the bytes that belong to a value, for any output and any cutting into chunks", () => {
    fc.assert(
      fc.property(
        fc.array(narrowBytes({ minLength: 4, maxLength: 9 }), { maxLength: 4 }),
        fc.array(narrowBytes({ minLength: 0, maxLength: 12 }), { maxLength: 12 }),
        (values, chunks) => {
          // Bytes that are not text have no other forms that could occur among these three bytes.
          const binary = values.map((value) => Uint8Array.from([0xff, ...value]));
          expect(throughFilter(maskOf(...binary), chunks)).toEqual(maskSlowly(binary, Buffer.concat(chunks)));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("gives the same output for any cutting of any output with values of any length", () => {
    const value = fc.uint8Array({ minLength: 4, maxLength: 3000 });
    fc.assert(
      fc.property(
        value,
        fc.string({ unit: "binary" }),
        fc.array(fc.nat(6000), { maxLength: 8 }),
        (bytes, text, cuts) => {
          const mask = maskOf(bytes);
          const output = Buffer.concat([Buffer.from(text), bytes, Buffer.from(text), bytes]);
          const places = [...new Set([0, ...cuts.map((cut) => cut % output.length), output.length])].sort(
            (a, b) => a - b,
          );
          const chunks = places.slice(1).map((end, index) => output.subarray(places[index], end));
          const masked = throughFilter(mask, chunks);
          expect(masked).toEqual(throughFilter(mask, [output]));
          expect(masked.includes(Buffer.from(bytes))).toBe(false);
        },
      ),
    );
  });

  test("hides a value as it is, without its white space, by line, in JSON, in a URL, in base64 and in hex", () => {
    const value = '  first "line"\nsecond/line=\n';
    const mask = maskOf(value);
    const shown = [
      value,
      value.trim(),
      'first "line"',
      "second/line=",
      JSON.stringify({ value }),
      `https://host/?v=${encodeURIComponent(value.trim())}`,
      Buffer.from(value).toString("base64"),
      Buffer.from(value.trim()).toString("base64url"),
      Buffer.from(value).toString("hex"),
    ];
    expect(shown.map((text) => mask.text(text))).toEqual([
      "***",
      "***",
      "***",
      "***",
      '{"value":"***"}',
      "https://host/?v=***",
      "***",
      "***",
      "***",
    ]);
  });

  test("puts out at once what cannot be part of a value, and only holds back a value's beginning", () => {
    const filter = maskOf("correct-horse").filter();
    expect(filter.write(Buffer.from("Password? ")).toString()).toBe("Password? ");
    expect(filter.write(Buffer.from("it is corr")).toString()).toBe("it is ");
    expect(filter.write(Buffer.from("ect-horse")).toString()).toBe(OUTPUT_MASK);
    expect(filter.write(Buffer.from(" or corr")).toString()).toBe(" or ");
    expect(filter.end().toString()).toBe("corr");
  });

  test("masks a value that is added while output flows, also when its beginning is held back for another", () => {
    const mask = maskOf("alpha-one");
    const filter = mask.filter();
    expect(filter.write(Buffer.from("beta-two alpha-")).toString()).toBe("beta-two ");
    mask.add(SecretValue.fromText("alpha-two"));
    expect(filter.write(Buffer.from("two alpha-one")).toString()).toBe("*** ***");
  });

  test("says that a value under 4 bytes is not masked, and leaves the output alone", () => {
    const mask = createMask();
    expect(mask.add(SecretValue.fromText("abc"))).toBe(false);
    expect(mask.add(SecretValue.fromText(""))).toBe(true);
    expect(mask.text("abc abc")).toBe("abc abc");
  });

  test("masks a binary value of 1 MiB that is printed whole", () => {
    const bytes = Uint8Array.from({ length: 1 << 20 }, (_, index) => (index * 2654435761) >>> 13);
    const mask = maskOf(bytes);
    expect(throughFilter(mask, [Buffer.from("<"), bytes, Buffer.from(">")]).toString()).toBe("<***>");
    expect(mask.text(Buffer.from(bytes).toString("base64"))).toBe(OUTPUT_MASK);
  });
});
