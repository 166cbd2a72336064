import { randomBytes } from "node:crypto";
import { SecretValue } from "@flyte-secrets/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMask, type Mask } from "./mask.ts";

function maskOf(values: readonly string[]): Mask {
  const mask = createMask();
  for (const value of values) mask.add(SecretValue.fromText(value));
  return mask;
}

const numbered = (count: number, makeValue: (number: number, key: string) => string) =>
  Array.from({ length: count }, (_, number) => makeValue(number, randomBytes(64).toString("base64")));

/** Values that begin alike for more than the 48 characters after which a value counts as found. */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  "connection strings of Azure": numbered(
    100,
    (number, key) =>
      `DefaultEndpointsProtocol=https;AccountName=acmedata${number};AccountKey=${key};EndpointSuffix=core.windows.net`,
  ),
  "tokens of one issuer": numbered(
    100,
    (number, key) =>
      `${Buffer.from(`{"alg":"RS256","iss":"https://login.example","sub":"${number}"}`).toString("base64url")}.${key}`,
  ),
  "service accounts": numbered(
    100,
    (number, key) =>
      `{"type":"service_account","project_id":"acme","auth_uri":"https://accounts.example","id":${number},"key":"${key}"}`,
  ),
  "one beginning of 10,000 characters": numbered(20, (number, key) => `${"=+".repeat(5000)}${number}${key}`),
  "beginnings of every length": numbered(
    120,
    (number, key) => `${"https://host/?token=".repeat(6).slice(0, number)}${key}`,
  ),
};

const WRITERS: Readonly<Record<string, (text: string) => string>> = {
  "as they are": (text) => text,
  "in JSON": (text) => JSON.stringify(text).slice(1, -1),
  "in JSON in JSON": (text) => JSON.stringify(JSON.stringify(text)).slice(3, -3),
  "in URLs": encodeURIComponent,
  "in base64": (text) => Buffer.from(text).toString("base64"),
  "in hex": (text) => Buffer.from(text).toString("hex"),
};

describe("values that begin alike", () => {
  test.each(
    Object.keys(FAMILIES),
  )("are masked to their ends, however many there are and however they are written: %s", (name) => {
    const values = FAMILIES[name] ?? [];
    const mask = maskOf(values);
    for (const [how, write] of Object.entries(WRITERS)) {
      const lines = values.map((value) => `<${write(value)}>\n`);
      expect(mask.text(lines.join("")), how).toBe("<***>\n".repeat(values.length));
    }
  });

  test("are masked when a value is found that begins within another one, which doesn't go on", () => {
    const [first, second] = [`${"ab".repeat(40)}c-first`, `${"ab".repeat(20)}c-second-${"x".repeat(60)}`];
    const mask = maskOf([first, second]);
    for (const extra of [0, 1, 2, 39, 40, 500]) {
      expect(mask.text(`<${"ab".repeat(extra)}${first}>${"ab".repeat(extra)}${second}>`)).toMatch(
        /^<(\*\*\*)>[ab]*(\*\*\*)>$/,
      );
    }
  });

  test("are masked where one begins within the end of a long one, however the output is cut", () => {
    const long = `${"x".repeat(60)}-tail`;
    const mask = maskOf([long, "tail-of-another", "-tail"]);
    for (const output of [`${long}-of-another.`, `${long}-of-one.`, `${long}${long}-of-another.`]) {
      const filter = mask.filter();
      const bytes = Array.from(Buffer.from(output), (byte) => filter.write(Uint8Array.of(byte)));
      expect(Buffer.concat([...bytes, filter.end()]).toString()).toBe(mask.text(output));
      expect(mask.text(output)).toMatch(/^\*\*\*(-of-one)?\.$/);
    }
  });

  test("are masked whatever they have in common, the same however the output is cut", () => {
    // What one way of writing makes of another one's characters.
    const piece = fc.constantFrom(
      ..."ab1n+ \\\"'&/\u00e9\n",
      "u0061",
      "\\u0061",
      "&#97;",
      "%61",
      "%25",
      "61",
      "97",
      "YWFh",
    );
    const text = (maxLength: number) => fc.array(piece, { minLength: 1, maxLength }).map((pieces) => pieces.join(""));
    const value = fc.tuple(fc.nat(60), text(20));
    const part = fc.tuple(fc.nat(5), fc.constantFrom(...Object.values(WRITERS)), fc.nat(80), text(10));
    fc.assert(
      fc.property(
        text(30),
        fc.array(value, { minLength: 1, maxLength: 6 }),
        fc.array(part, { maxLength: 6 }),
        (common, ends, parts) => {
          const values = ends
            .map(([length, end]) => `${common.slice(0, length)}${end}`.trim())
            .filter((one) => one.length >= 4);
          const mask = maskOf(values);
          for (const one of values) {
            for (const write of Object.values(WRITERS)) expect(mask.text(`<${write(one)}>`)).toBe("<***>");
          }
          const shown = parts.map(
            ([which, write, length, between]) => write((values[which] ?? "").slice(0, length + 1)) + between,
          );
          const output = Buffer.from(shown.join(""));
          const filter = mask.filter();
          const bytes = Array.from(output, (byte) => filter.write(Uint8Array.of(byte)));
          expect(Buffer.concat([...bytes, filter.end()]).toString()).toBe(mask.text(output.toString()));
        },
      ),
      { numRuns: 150 },
    );
  });

  test("take time in proportion to the output, also when they repeat themselves", () => {
    const mask = maskOf(Array.from({ length: 100 }, (_, number) => `${"a".repeat(47)}-${number}`));
    const output = "a".repeat(200_000);
    expect(mask.text(output) === output).toBe(true);
    const longer = maskOf(Array.from({ length: 100 }, (_, number) => `${"a".repeat(20_000 + number)}${number}`));
    expect(longer.text(`${"a".repeat(100_000)}7`)).toBe("***");
  });
});
