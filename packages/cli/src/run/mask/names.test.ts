import { SecretValue } from "@flyte-secrets/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMask, type Mask } from "./mask.ts";

function maskOf(values: readonly (readonly [name: string, value: string | Uint8Array])[]): Mask {
  const mask = createMask({ showNames: true });
  for (const [name, value] of values) {
    mask.add(typeof value === "string" ? SecretValue.fromText(value) : SecretValue.fromBytes(value), name);
  }
  return mask;
}

function throughFilter(mask: Mask, chunks: readonly Uint8Array[]): string {
  const filter = mask.filter();
  return Buffer.concat([...chunks.map((chunk) => filter.write(chunk)), filter.end()]).toString("latin1");
}

/**
 * The slow and obvious way: each byte belongs to the value that begins first of those that cover it, to the longest of
 * those that begin together, and to the first given of equal ones.
 */
function maskSlowly(values: readonly Uint8Array[], output: Buffer): string {
  const owners = new Map<number, { from: number; length: number; name: number }>();
  for (const [name, value] of values.entries()) {
    for (let from = output.indexOf(value); from !== -1; from = output.indexOf(value, from + 1)) {
      for (let at = from; at < from + value.length; at++) {
        const owner = owners.get(at);
        const isBetter =
          owner === undefined || from < owner.from || (from === owner.from && value.length > owner.length);
        if (isBetter) owners.set(at, { from, length: value.length, name });
      }
    }
  }
  return [...output]
    .map((byte, at) => {
      const name = owners.get(at)?.name;
      if (name === undefined) return String.fromCharCode(byte);
      return owners.get(at - 1)?.name === name ? "" : `<secret ${name}>`;
    })
    .join("");
}

const narrowBytes = (constraints: { minLength: number; maxLength: number }) =>
  fc.array(fc.constantFrom(97, 98, 0xff), constraints).map((bytes) => Uint8Array.from(bytes));

describe("names in place of values", () => {
  test("stand where the values are, in whichever form, each once for a run", () => {
    const mask = maskOf([
      ["key", "correct-horse"],
      ["pull", '{"username": "deploy-bot", "password": "of-the-registry"}'],
    ]);
    const base64 = Buffer.from("correct-horse").toString("base64");
    expect(mask.text(`a correct-horse, ${base64}, correct-horsecorrect-horse`)).toBe(
      "a <secret key>, <secret key>, <secret key>",
    );
    expect(mask.text("correct-horseof-the-registry of deploy-bot")).toBe("<secret key><secret pull> of <secret pull>");
  });

  test("are those of the values that begin first, however they overlap and the output is cut", () => {
    fc.assert(
      fc.property(
        fc.array(narrowBytes({ minLength: 4, maxLength: 9 }), { minLength: 1, maxLength: 4 }),
        fc.array(narrowBytes({ minLength: 0, maxLength: 12 }), { maxLength: 12 }),
        (values, chunks) => {
          // Bytes that are not text have no other forms that could occur among these three bytes.
          const binary = values.map((value) => Uint8Array.from([0xff, ...value]));
          const mask = maskOf(binary.map((value, name) => [String(name), value]));
          expect(throughFilter(mask, chunks)).toBe(maskSlowly(binary, Buffer.concat(chunks)));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("are the same for every cutting of an output in which values are written in many ways", () => {
    const piece = fc.constantFrom(...'ab1+ \\"&\n', "u0061", "\\u0061", "&#97;", "%61", "61", "97", "YWFh");
    const text = fc.array(piece, { minLength: 2, maxLength: 60 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), fc.array(text, { maxLength: 4 }), (values, texts) => {
        const mask = maskOf(values.map((value, name) => [String(name), value]));
        const hex = values.map((value) => Buffer.from(value).toString("hex"));
        const output = Buffer.from([...texts, ...values, JSON.stringify(values), ...hex].join(""));
        const bytes = Array.from(output, (byte) => Uint8Array.of(byte));
        expect(throughFilter(mask, bytes)).toBe(throughFilter(mask, [output]));
      }),
      { numRuns: 150 },
    );
  });

  test("are the first one's where values are equal, or begin alike for 48 characters", () => {
    const long = "x".repeat(60);
    const mask = maskOf([
      ["first", "the-same-value"],
      ["second", "the-same-value"],
      ["long", `${long}-of-one`],
      ["other", `${long}-of-another`],
    ]);
    expect(mask.text(`the-same-value ${long}-of-another ${long}-of-one.`)).toBe(
      "<secret first> <secret long> <secret long>.",
    );
  });

  test("are cut and escaped, and a value without one is masked as ever", () => {
    const mask = maskOf([["\u001b[2Jodd\nname", "correct-horse"]]);
    mask.add(SecretValue.fromText("battery-staple"));
    expect(mask.text("correct-horse battery-staple")).toBe("<secret \\u001b[2Jodd\\nname> ***");
  });
});
