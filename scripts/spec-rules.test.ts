import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

/** Each page of the specification and the letter that its rules' numbers begin with. */
const PAGES = {
  names: "N",
  requests: "R",
  calls: "S",
  injection: "I",
  webhook: "W",
  configuration: "C",
  tasks: "T",
} as const;

const letters = Object.values(PAGES).join("");
const CITED = new RegExp(`\\((?:see )?((?:[${letters}]-\\d+(?:, | and )?)+)\\)`, "g");
const ONE = new RegExp(`[${letters}]-\\d+`, "g");

function rulesOf(page: string): string[] {
  const text = readFileSync(join(root, "docs/spec", `${page}.md`), "utf8");
  return [...text.matchAll(/^\*\*([A-Z]-\d+)\*\* /gm)].map((match) => match[1] ?? "");
}

test.each(Object.entries(PAGES))("the rules of %s.md are numbered in order, each number once", (page, letter) => {
  const rules = rulesOf(page);
  expect(rules.length).toBeGreaterThan(0);
  expect(rules).toEqual(rules.map((_, index) => `${letter}-${index + 1}`));
});

test("every page of docs/spec is checked here", () => {
  const pages = globSync("docs/spec/*.md", { cwd: root }).map((path) => path.slice("docs/spec/".length, -".md".length));
  expect(pages.toSorted()).toEqual([...Object.keys(PAGES), "README"].toSorted());
});

test("every rule that code, tests or pages cite exists", () => {
  const rules = new Set(Object.keys(PAGES).flatMap(rulesOf));
  const files = globSync(
    ["{packages,e2e,fuzz,bench,scripts,examples}/**/*.ts", "docs/**/*.md", "packages/*/README.md"],
    {
      cwd: root,
      exclude: (path) => /^(?:node_modules|dist|generated)$/.test(path),
    },
  ).filter((path) => !/(?:^|\/)(?:node_modules|dist|generated)\//.test(path));
  const unknown = files.flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    const cited = [...text.matchAll(CITED)].flatMap((match) => match[1]?.match(ONE) ?? []);
    return cited.filter((rule) => !rules.has(rule)).map((rule) => `${file}: ${rule}`);
  });
  expect(unknown).toEqual([]);
});
