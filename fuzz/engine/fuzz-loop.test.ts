import { describe, expect, test } from "vitest";
import type { FuzzTarget } from "../target.ts";
import { startCoverage } from "./coverage.ts";
import type { Find } from "./find.ts";
import { fuzz } from "./fuzz-loop.ts";

/** What a target with a planted fault gives within a few seconds. */
async function findsOf(run: (text: string) => void, seeds: readonly string[], dictionary: readonly string[] = []) {
  const finds: Find[] = [];
  const opened = { run: (bytes: Uint8Array) => run(Buffer.from(bytes).toString("latin1")) };
  const target: FuzzTarget = { seeds, dictionary, open: () => opened };
  const coverage = startCoverage((url) => url.includes("fuzz-loop.test"));
  const ended = new AbortController();
  const result = await fuzz({
    target,
    opened,
    coverage,
    seed: 7,
    runForMs: 25_000,
    signal: ended.signal,
    corpus: [],
    onInput() {},
    onFind(find) {
      finds.push(find);
      ended.abort();
    },
  });
  coverage.close();
  return { finds, result };
}

describe("the loop finds", () => {
  test("a fault behind four bytes, one after the other, and makes its input as short as it can be", async () => {
    const { finds } = await findsOf(
      (text) => {
        if (text[0] !== "f") return;
        if (text[1] !== "u") return;
        if (text[2] !== "z") return;
        if (text[3] === "z") throw new TypeError("planted");
      },
      ["nothing like it"],
      ["f", "u", "z"],
    );
    expect(finds.map(({ kind, input }) => [kind, Buffer.from(input).toString()])).toEqual([["fault", "fuzz"]]);
  });

  test("what a run leaves on every object", async () => {
    const { finds } = await findsOf(
      (text) => {
        const [name = "", member = ""] = text.split(".");
        if (name === "p") Reflect.set(Object.prototype, member, 1);
      },
      ["p.q"],
    );
    expect(finds.map(({ report }) => report.split("\n")[0])).toEqual(["Error: Object.prototype got q"]);
  });
});
