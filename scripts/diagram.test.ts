import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

test("the ways in docs/architecture.md have at most five files, and the pictures name just these in their order", () => {
  const page = readFileSync(join(root, "docs/architecture.md"), "utf8");
  for (const way of ["secret-way", "pod-way"]) {
    const [, section = ""] = page.split(`diagrams/${way}.svg`);
    const [table = ""] = section.split("\n## ");
    const steps = [...table.matchAll(/^\| (\d) \| \[`([^`]+)`\]/gm)].map(([, step, file]) => `${step}. ${file}`);
    const picture = readFileSync(join(root, `docs/diagrams/${way}.dot`), "utf8");
    const drawn = [...picture.matchAll(/label="(\d\. [\w.-]+\.ts)/g)].map(([, label]) => label);
    expect(drawn, way).toEqual(steps);
    expect(steps.length, way).toBe(5);
  }
});

test("each picture's text is in the repository, and each text's picture", () => {
  const names = (kind: string) =>
    globSync(`docs/diagrams/*.${kind}`, { cwd: root }).map((file) => file.slice(0, -kind.length - 1));
  expect(names("svg").toSorted()).toEqual([...names("dot"), "docs/diagrams/packages"].toSorted());
});
