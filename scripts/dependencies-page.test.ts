import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

interface PackageFile {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

test("docs/dependencies.md has a line for every dependency that a package names, and for no other", () => {
  const files = globSync(["package.json", "packages/*/package.json", "{bench,deploy,e2e,examples}/package.json"], {
    cwd: root,
  });
  const named = files.flatMap((file) => {
    const content = JSON.parse(readFileSync(join(root, file), "utf8")) as PackageFile;
    return Object.keys({ ...content.dependencies, ...content.devDependencies, ...content.optionalDependencies });
  });
  const page = readFileSync(join(root, "docs/dependencies.md"), "utf8");
  const described = [...page.matchAll(/^\|([^|]+)\|/gm)].flatMap((row) =>
    [...(row[1] ?? "").matchAll(/`([^`]+)`/g)].map((name) => name[1]),
  );
  const external = new Set(named.filter((name) => !name.startsWith("@flyte-secrets/")));
  expect(described.toSorted()).toEqual([...external].toSorted());
});
