import { describe, expect, it } from "vitest";
import { trimLineFeed } from "./read-secret-value.ts";

const LEFT_OUT = "the line feed at the end of f is left out; --keep-line-feed keeps it";
const WHITE = "f begins or ends with white space, which is part of the value; getSecret gives text without it";

function stored(text: string, keep = false) {
  const { bytes, notes } = trimLineFeed(Buffer.from(text, "latin1"), "f", keep);
  return [Buffer.from(bytes).toString("latin1"), ...notes];
}

describe("the line feed at the end of a file", () => {
  it.each([
    ["pw", "pw"],
    ["pw\n", "pw", LEFT_OUT],
    ["pw\r\n", "pw", LEFT_OUT],
    ["pw\n\n", "pw", LEFT_OUT],
    ["p w \n", "p w ", LEFT_OUT, WHITE],
    [" pw", " pw", WHITE],
    ["-----BEGIN-----\nabc\n", "-----BEGIN-----\nabc\n", WHITE],
    ["a\nb", "a\nb"],
    ["\n", "\n", WHITE],
    ["", "", "f is empty, and so is the value"],
    ["\u00ff\n", "\u00ff\n"],
    ["a\0\n", "a\0\n"],
  ])("%j is stored as %j", (file, ...expected) => {
    expect(stored(file)).toEqual(expected);
  });

  it("is kept on request, and said", () => {
    expect(stored("pw\n", true)).toEqual(["pw\n", WHITE]);
  });

  it("of a byte order mark and the rest changes nothing but itself", () => {
    expect(stored("\u00ef\u00bb\u00bfpw\n")[0]).toBe("\u00ef\u00bb\u00bfpw");
  });
});
