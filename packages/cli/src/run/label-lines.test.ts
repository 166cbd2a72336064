import { describe, expect, it } from "vitest";
import { createLineLabeler, lineLabel } from "./label-lines.ts";

function labeled(...chunks: string[]): string[] {
  const labeler = createLineLabeler("a | ");
  const written = chunks.map((chunk) => labeler.write(Buffer.from(chunk)));
  return [...written, labeler.end()].map((bytes) => Buffer.from(bytes).toString());
}

describe("labels before lines", () => {
  it("stand before each line once it is whole, wherever the output is cut", () => {
    expect(labeled("one\ntwo\n")).toEqual(["a | one\na | two\n", ""]);
    expect(labeled("o", "ne\n\nt", "wo")).toEqual(["", "a | one\na | \n", "", "a | two\n"]);
    expect(labeled()).toEqual([""]);
  });

  it("cut a line that doesn't end, so that memory stays bounded", () => {
    expect(labeled("x".repeat(65_536), "y")).toEqual([`a | ${"x".repeat(65_536)}\n`, "", "a | y\n"]);
  });

  it("are coloured on request, and show no control characters of a name", () => {
    expect(lineLabel("train", 0, false)).toBe("train | ");
    expect(lineLabel("train", 6, true)).toBe("\u001b[33mtrain |\u001b[39m ");
    expect(lineLabel("a\u001b[2J", 0, false)).toBe("a\\u001b[2J | ");
  });
});
