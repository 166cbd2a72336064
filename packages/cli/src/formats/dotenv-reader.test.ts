import { SecretsError } from "@flyte-secrets/core";
import { parse } from "dotenv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dotenvFiles, sortedEntries } from "../testing/dotenv-files.ts";
import { readAssignments } from "./dotenv-reader.ts";

/** Variables and values; the message where the file is refused. */
function read(text: string): Record<string, string> | string {
  try {
    return Object.fromEntries(readAssignments(text).map(({ variable, value }) => [variable, value]));
  } catch (error) {
    if (error instanceof SecretsError) return error.message;
    throw error;
  }
}

it("reads of 10,000 generated files what npm's dotenv reads, or refuses them", () => {
  let files = 0;
  fc.assert(
    fc.property(dotenvFiles, (text) => {
      const ours = read(text);
      if (typeof ours === "string") return;
      files += 1;
      expect(sortedEntries(ours)).toEqual(sortedEntries(parse(text)));
    }),
    { numRuns: 10_000 },
  );
  expect(files).toBeGreaterThan(2_000);
});

const NO_NAME =
  "what is before the = is no name: letters, digits, _, - and . alone. If the line belongs to the value above, put all of that between '";

describe("what all readers take alike", () => {
  it.each([
    ["an empty value before another line", "API_KEY= \nDB_PASSWORD=s3cret\n", { API_KEY: "", DB_PASSWORD: "s3cret" }],
    ["an empty value before a tab and CR LF", "A=\t\r\n\r\nB=1\r\n", { A: "", B: "1" }],
    ["blanks around the name, and export with a tab", "export\tA = 1\n  B =2", { A: "1", B: "2" }],
    ["comments behind a blank or a quote", "A=1 # one\nB='x'#y\n # c\nC=\"z\" # it's\n", { A: "1", B: "x", C: "z" }],
    ["a # between quotes", "A='abc#123'\nB=\"#FF0000\"\n", { A: "abc#123", B: "#FF0000" }],
    ["several lines", "A='one\ntwo # no comment\n'\nB=\"\n\"\nC=3", { A: "one\ntwo # no comment\n", B: "\n", C: "3" }],
    [
      "escapes that all know",
      "A=\"a\\nb\\rc\\d\"\nB='a\\nb'\nC=C:\\dir\n",
      { A: "a\nb\rc\\d", B: "a\\nb", C: "C:\\dir" },
    ],
    ["$ where nobody replaces it", "A='$B $(x) `y`'\nB=5$\nC=\"$1\"\n", { A: "$B $(x) `y`", B: "5$", C: "$1" }],
    ["quotes in the middle", 'A=it\'s\nB=say "hi"\n', { A: "it's", B: 'say "hi"' }],
    ["JSON between single quotes", `J='{"foo":"bar # \\n"}'`, { J: '{"foo":"bar # \\n"}' }],
  ])("%s", (_, text, values) => {
    expect(read(text)).toEqual(values);
    expect(parse(text)).toEqual(values);
  });
});

const QUOTE = "put its value between '";
describe("what readers take differently is refused with the line and the remedy", () => {
  it.each([
    [
      "PASSWORD=abc#123",
      `line 1: the value of PASSWORD has a # that some readers take for a comment: ${QUOTE}, or a comment on a line of its own`,
    ],
    [
      "\nE= # comment",
      `line 2: the value of E has a # that some readers take for a comment: ${QUOTE}, or a comment on a line of its own`,
    ],
    [
      "A=x\t# tab",
      `line 1: the value of A has a # that some readers take for a comment: ${QUOTE}, or a comment on a line of its own`,
    ],
    ["A='two\nlines'\nB=$HOME", `line 3: the value of B has a $ that docker compose replaces: ${QUOTE}`],
    ['A="pa$$word"', `line 1: the value of A has a $ that docker compose replaces: ${QUOTE}`],
    [
      "A='$".concat("{B}'"),
      "line 1: the value of A has braces behind a $, which python-dotenv replaces: import it from a JSON file",
    ],
    ['J="{\\"foo\\":1}"', `line 1: the value of J has a \\ that not all readers take alike: ${QUOTE}`],
    ['T="a\\tb"', `line 1: the value of T has a \\ that not all readers take alike: ${QUOTE}`],
    ["T='a\\\\b'", "line 1: the value of T has a \\ that not all readers take alike: import it from a JSON file"],
    [
      'A="ab"cd',
      `line 1: the value of A goes on behind its closing ": put all of it between ' without a ' in it, or import it from a JSON file`,
    ],
    [
      `Q='it'"'"'s'`,
      `line 1: the value of Q goes on behind its closing ': put all of it between ' without a ' in it, or import it from a JSON file`,
    ],
    ["A=`x`", `line 1: the value of A begins with a \` that only some readers take for a quote: ${QUOTE}`],
    ["A=\u00a0x", `line 1: the value of A begins or ends with an unusual space or a control character: ${QUOTE}`],
    [
      "A=1\rB=2",
      "line 1: it has a line break (CR alone, U+2028 or U+2029) that some readers don't take for one: use LF",
    ],
    [
      "# c\u2028B=2",
      "line 1: it has a line break (CR alone, U+2028 or U+2029) that some readers don't take for one: use LF",
    ],
    ["A='x\r\ny'", "line 1: the value of A has lines that end in CR LF or CR: let them end in LF"],
    ["A=1\nA=2", "line 2: A stands twice in the file"],
    ["A: 1", "line 1: expected NAME=value"],
    ["A=1\nmy key=2", `line 2: ${NO_NAME}`],
    ["KEY=-----BEGIN\nMII/x+y==", `line 2: ${NO_NAME}`],
    ["=2", `line 1: ${NO_NAME}`],
    ["export =1", "line 1: expected NAME=value"],
    ["__proto__=1", "line 1: expected NAME=value"],
    ["A=\n'x'", "line 2: expected NAME=value"],
    ["A='x\n\n", "line 1: the ' of A has no end"],
  ])("%j", (text, message) => {
    expect(read(text)).toBe(message);
  });
});

it("takes time that grows with the file's length, whatever is in it", () => {
  for (const piece of ["A='", "\\", '"', "$", "{", "#", " ", "\n", "= ", "'\n"]) {
    // By the square of the length, this would take hours.
    read(`A=${piece.repeat(4_000_000 / piece.length)}`);
  }
});
