import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readDecisions } from "./decisions-page.ts";

const root = join(import.meta.dirname, "..");
const decisions = readDecisions();

test.each(decisions)("decision $number has its form, and its place exists", ({
  file,
  number,
  status,
  where,
  sections,
}) => {
  expect(file.slice(0, 5)).toBe(`${String(number).padStart(4, "0")}-`);
  expect(status).toMatch(/^(?:accepted|superseded by \d+)$/);
  expect(sections).toEqual(["Decision", "Why", "Instead of", "Consequences"]);
  expect(existsSync(join(root, where)), where).toBe(true);
});

test("each number is given once", () => {
  expect(new Set(decisions.map(({ number }) => number)).size).toBe(decisions.length);
});

test("every decision that code or pages point to exists", () => {
  const numbers = new Set(decisions.map(({ number }) => number));
  const files = globSync(
    ["*.md", "{packages,e2e,fuzz,bench,scripts,examples,deploy}/**/*.{ts,txt,yaml,tpl,sh}", "docs/**/*.md"],
    {
      cwd: root,
      exclude: (path) => /^(?:node_modules|dist|generated)$/.test(path),
    },
  ).filter((path) => !/(?:^|\/)(?:node_modules|dist|generated)\//.test(path));
  const unknown = files.flatMap((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(/\bdecision[ \n]+(\d+)|decisions\/0*(\d+)-/g)]
      .map(([, named, linked]) => Number(named ?? linked))
      .filter((number) => !numbers.has(number))
      .map((number) => `${file}: ${number}`),
  );
  expect(unknown).toEqual([]);
});
