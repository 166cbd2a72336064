import { SecretsError } from "@flyte-secrets/core";
import { expect, it, onTestFinished, test, vi } from "vitest";
import { parseYaml } from "./parse-yaml.ts";

const CANARY = "canary-5d1f";
const fail = (problem: string) => new SecretsError("invalid_argument", problem);

function parse(text: string): unknown {
  try {
    return parseYaml(text, { fail });
  } catch (error) {
    return error instanceof SecretsError ? error.message : error;
  }
}

it("gives the documents of a stream, with a few aliases, and brackets in texts", () => {
  expect(parse("a: &x [1, {b: c}]\nd: *x\n---\ne: '{'\nf: |\n  [[[\ng: \"[[\"\n")).toEqual([
    { a: [1, { b: "c" }], d: [1, { b: "c" }] },
    { e: "{", f: "[[[\n", g: "[[" },
  ]);
  const texts = Array.from({ length: 200 }, (_, index) => `k${index}: "["\nl${index}: |\n  - - [[\n`).join("");
  expect(Object.keys((parse(texts) as [object])[0])).toHaveLength(400);
  expect(parse("")).toEqual([]);
});

const laughs = (deep: number) =>
  ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    .concat(Array.from({ length: deep }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at}, `.repeat(9)}*a${at}]`))
    .join("\n");

test.each([
  ["no YAML", "a: [", "BAD_INDENT at line 1"],
  ["a key twice", `a: 1\nb:\n  c: ${CANARY}\n  "c": 2\n`, "DUPLICATE_KEY at line 4"],
  ["a tag of JavaScript's", `a: 1\nb: !!js/function "${CANARY}"\n`, "TAG_RESOLVE_FAILED at line 2"],
  ["a tag of somebody's", "a: !secret x\n", "TAG_RESOLVE_FAILED at line 1"],
  ["billion laughs", laughs(9), "aliases that lead nowhere, or stand for too much"],
  ["an alias that leads nowhere", "a: *b\n", "aliases that lead nowhere, or stand for too much"],
  ["an alias within its own list", "a:\n  - &b\n    - *b\n", "an alias within what it stands for at line 3"],
  ["an alias within its own map", "&a {b: {c: *a}}", "an alias within what it stands for at line 1"],
  ["an alias within its own key", "&a {? [*a] : 1}", "an alias within what it stands for at line 1"],
  ["90,000 aliases", `a:\n${" - &x y\n - *x\n".repeat(90_000)}`, "more than 100 aliases at line 203"],
  ["deep lists", "[".repeat(1_000_000), "nested more than 100 levels deep at line 1"],
  ["deep maps", "{a: ".repeat(1_000_000), "nested more than 100 levels deep at line 1"],
  ["deep lists in block form", `a:\n ${"- ".repeat(1_000_000)}x`, "nested more than 100 levels deep at line 2"],
  ["deep maps in block form", "? ".repeat(1_000_000), "nested more than 100 levels deep at line 1"],
  ["100,000 errors", `a: ${"'a' ".repeat(100_000)}`, "UNEXPECTED_TOKEN at line 1"],
  ["too much of it", "- a\n".repeat(600_000), "more than 2000000 tokens; split it"],
])("refuses %s, and never quotes it", (_, text, problem) => {
  expect(parse(text)).toBe(problem);
});

test.each([
  ["a key that is a list", `? [${CANARY}]\n: 1\n`],
  ["a key that is a map", `? {a: ${CANARY}}\n: 1\n`],
  ["a version of YAML that isn't known", `%YAML 3.0\n---\na: ${CANARY}\n`],
  ["a directive that isn't known", `%${CANARY} 1\n---\na: 1\n`],
])("warns of nothing, since warnings quote: %s", (_, text) => {
  const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
  onTestFinished(() => void warn.mockRestore());
  parse(text);
  expect(warn).not.toHaveBeenCalled();
});

test.each(["a: {<<: 1}\n", `a: &a [${CANARY}]\nb: {<<: *a}\n`])("refuses to merge what is no map: %j", (text) => {
  expect(() => parseYaml(text, { merge: true, fail })).toThrow(fail("a merge key (<<) of what is no map"));
});

it("compares the keys of a large map in time that grows with their number", () => {
  const map = Array.from({ length: 50_000 }, (_, index) => `k${index}: v\n`).join("");
  expect(parse(`${map}k7: v\n`)).toBe("DUPLICATE_KEY at line 50001");
});
