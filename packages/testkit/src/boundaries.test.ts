import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

// What each package may build on directly (docs/architecture.md); what those build on is allowed too.
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  idl: [],
  core: ["idl"],
  inject: ["core"],
  http: ["core"],
  config: ["core"],
  kube: ["core"],
  store: ["kube"],
  certificates: ["store"],
  lookup: ["store"],
  service: ["idl", "http", "certificates"],
  webhook: ["inject", "http", "certificates", "lookup"],
  sdk: ["core"],
  cli: ["sdk", "service", "webhook", "config"],
  // Used by tests and by the `testing` entries of the packages.
  testkit: ["core"],
};
// Computing, not input or output.
const PURE_MODULES = ["node:crypto", "node:path", "node:util"];

const packagesDirectory = join(import.meta.dirname, "../..");
const names = globSync("*/package.json", { cwd: packagesDirectory }).map((path) => path.split("/")[0] ?? "");

function allowed(name: string): Set<string> {
  const direct = ARROWS[name] ?? [];
  return new Set(direct.flatMap((next) => [next, ...allowed(next)]));
}

function readJson(name: string, file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(packagesDirectory, name, file), "utf8"));
}

function withoutScope(dependencies: unknown): string[] {
  return Object.keys(dependencies ?? {})
    .filter((dependency) => dependency.startsWith("@flyte-secrets/"))
    .map((dependency) => dependency.slice("@flyte-secrets/".length))
    .sort();
}

/** Everything that the shipped sources of a package import, type imports included. */
function importsOf(name: string): Set<string> {
  const sources = globSync("src/**/*.ts", { cwd: join(packagesDirectory, name) }).filter(
    (path) => !path.endsWith(".test.ts") && !path.includes("/testing/"),
  );
  const texts = sources.map((path) => readFileSync(join(packagesDirectory, name, path), "utf8"));
  const specifiers = texts.flatMap((text) => [
    ...text.matchAll(/^(?:import|export|\}).*? from "([^"]+)"|\bimport\("([^"]+)"\)/gm),
  ]);
  return new Set(specifiers.map((match) => match[1] ?? match[2] ?? ""));
}

test("imports are found in the sources", () => {
  expect([...importsOf("core")]).toEqual(expect.arrayContaining(["node:crypto", "./errors.ts"]));
});

test("every package has its place in the design", () => {
  expect(names.sort()).toEqual(Object.keys(ARROWS).sort());
});

describe.each(names)("package %s", (name) => {
  const dependencies = withoutScope(readJson(name, "package.json").dependencies);

  test("depends on packages below it only", () => {
    expect(dependencies.filter((dependency) => !allowed(name).has(dependency))).toEqual([]);
  });

  test("imports the packages it depends on and no others", () => {
    const imported = [...importsOf(name)]
      .filter((specifier) => specifier.startsWith("@flyte-secrets/"))
      .map((specifier) => specifier.split("/")[1] ?? "");
    expect(imported.filter((dependency) => !dependencies.includes(dependency))).toEqual([]);
  });

  test("is built after the packages it depends on", () => {
    const { references = [] } = readJson(name, "tsconfig.json");
    expect(references).toEqual(
      expect.arrayContaining(dependencies.map((dependency) => ({ path: `../${dependency}` }))),
    );
  });
});

test.each(["core", "inject"])("%s does no input or output of its own", (name) => {
  const modules = [...importsOf(name)].filter((specifier) => specifier.startsWith("node:"));
  expect(modules.filter((specifier) => !PURE_MODULES.includes(specifier))).toEqual([]);
});
