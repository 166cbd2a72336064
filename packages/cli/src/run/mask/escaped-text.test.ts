import { expect, test } from "vitest";
import { createEscapedForms } from "./escaped-text.ts";

test("no two characters are written in the same way, so that what is read is one of them", () => {
  const latin = Array.from({ length: 0x250 }, (_, code) => String.fromCodePoint(code)).join("");
  for (const { units, writing } of createEscapedForms()(`${latin}\u20ac\ufb00\u{1f511}`)) {
    const seen = new Map<string, number>();
    for (const unit of new Set(Array.from(units))) {
      for (const way of writing.waysOf(unit).map((bytes) => Buffer.from(bytes).toString())) {
        expect(seen.get(way), way).toBe(undefined);
        seen.set(way, unit);
      }
    }
  }
});

test("more characters than anybody escapes are known only as they are, so that a long text takes no memory for them", () => {
  const text = Array.from({ length: 20_000 }, (_, at) => String.fromCodePoint(0x4e00 + at)).join("");
  for (const { units, writing } of createEscapedForms()(`${text}"`)) {
    const ways = Array.from(units, (unit) => writing.waysOf(unit).length);
    expect(ways.filter((count) => count > 1).length).toBeLessThanOrEqual(4_097);
    expect(ways[19_999]).toBe(1);
  }
});
