import { readFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { expect, test } from "vitest";
import { plant } from "./fault.ts";
import { parseFaults, readFaults } from "./faults.ts";

const ROOT = join(import.meta.dirname, "../..");
const FAULTS = readFaults();

test("there are faults enough, each with a name of its own", () => {
  expect(FAULTS.length).toBeGreaterThan(200);
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
});

test("each can be planted, but for a few whose lines have changed since, and leaves a program", () => {
  const stale: string[] = [];
  for (const fault of FAULTS) {
    const planted = plant(readFileSync(join(ROOT, fault.file), "utf8"), fault);
    if (planted === undefined) stale.push(fault.name);
    else expect(() => transformSync(planted, { loader: "ts" }), fault.name).not.toThrow();
  }
  // `npm run mutants` tells of these: whoever changes such a line changes the fault too, or takes it out.
  expect(stale.length, `stale: ${stale}`).toBeLessThanOrEqual(FAULTS.length * 0.05);
});

test("the page tells of each that no test can notice, and of no other", () => {
  const page = readFileSync(join(ROOT, "docs/mutants.md"), "utf8");
  const told = [...page.matchAll(/^- `([a-z0-9-]+)`, (.+?): (.+)\.$/gm)].map(([, name, harm, why]) => [
    name,
    harm,
    why,
  ]);
  const explained = FAULTS.filter((fault) => fault.explained !== undefined);
  expect(told).toEqual(explained.map(({ name, harm, explained: why }) => [name, harm, why]));
});

test("a fault is a name, what goes wrong, a text and what takes its place", () => {
  const text = `About all.

=== core/src/a.ts

one-fault: what goes wrong: everything
? nobody sees it
- first
-   second
+ other

another: more
- first
`;
  expect(parseFaults(text, "a.txt")).toEqual([
    {
      name: "one-fault",
      file: "packages/core/src/a.ts",
      find: "first\n  second",
      replace: "other",
      harm: "what goes wrong: everything",
      explained: "nobody sees it",
    },
    { name: "another", file: "packages/core/src/a.ts", find: "first", replace: "", harm: "more" },
  ]);
  for (const wrong of ["No name\n- a", "name: harm", "Name: harm\n- a"]) {
    expect(() => parseFaults(`About.\n\n=== a.ts\n\n${wrong}\n`, "a.txt")).toThrow(`a.txt: no fault: ${wrong}`);
  }
});

test("a text that is not there, or more than once, is not replaced", () => {
  const fault = { name: "n", file: "f", find: "b", replace: "$&x", harm: "h" };
  expect(plant("abc", fault)).toBe("a$&xc");
  expect(plant("ac", fault)).toBeUndefined();
  expect(plant("abcb", fault)).toBeUndefined();
});
