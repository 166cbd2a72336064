import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

// The packages that each package may import directly (docs/architecture.md). What these may import is allowed too.
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

const repository = join(packagesDirectory, "..");

/** The specifiers of all imports of a module, type imports included. */
function specifiersOf(path: string): string[] {
  const text = readFileSync(path, "utf8");
  return [...text.matchAll(/(?:\bfrom|\bimport\(|^import) ?"([^"]+)"/gm)].map((match) => match[1] ?? "");
}

test("no module imports another package by its path: tests use the `testing` entries", () => {
  const modules = globSync("{packages/*/src,e2e,bench,fuzz,examples,scripts}/**/*.{ts,mjs}", { cwd: repository });
  const crossing = modules.flatMap((path) => {
    const [, home = ""] = /^(packages\/[^/]+|[^/]+)\//.exec(path) ?? [];
    return specifiersOf(join(repository, path))
      .filter((specifier) => specifier.startsWith("."))
      .map((specifier) => normalize(join(dirname(path), specifier)))
      .filter((target) => /^packages\/[^/]+\/(?:src|dist)\//.test(target) && !target.startsWith(`${home}/`))
      .map((target) => `${path} imports ${target}`);
  });
  expect(crossing).toEqual([]);
});

/**
 * The top-level folders of a package that each of them imports. Modules beside the folders join them, and do not count.
 */
function folderImports(name: string): ReadonlyMap<string, ReadonlySet<string>> {
  const source = join(packagesDirectory, name, "src");
  const imports = new Map<string, Set<string>>();
  for (const path of globSync("*/**/*.ts", { cwd: source })) {
    if (path.endsWith(".test.ts") || path.includes("testing/")) continue;
    const folder = path.split("/")[0] ?? "";
    const targets = imports.get(folder) ?? new Set();
    for (const specifier of specifiersOf(join(source, path))) {
      const target = specifier.startsWith(".") ? normalize(join(dirname(path), specifier)).split("/") : [];
      if (target.length > 1 && target[0] !== undefined && target[0] !== folder) targets.add(target[0]);
    }
    imports.set(folder, targets);
  }
  return imports;
}

function reachableFrom(folder: string, imports: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const reached = new Set<string>();
  const pending = [folder];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const target of imports.get(next) ?? []) {
      if (reached.has(target)) continue;
      reached.add(target);
      pending.push(target);
    }
  }
  return reached;
}

test.each(names)("the folders of %s do not import each other in a circle", (name) => {
  const imports = folderImports(name);
  expect([...imports.keys()].filter((folder) => reachableFrom(folder, imports).has(folder))).toEqual([]);
});

test("only the command's host and the SDK's environment read process.env", () => {
  const readers = globSync("*/src/**/*.ts", { cwd: packagesDirectory }).filter(
    (path) =>
      !path.endsWith(".test.ts") &&
      !path.includes("/testing/") &&
      !path.startsWith("testkit/") &&
      // Where a message for users names it, a property of it follows.
      /\bprocess\.env\b(?!\.)/.test(readFileSync(join(packagesDirectory, path), "utf8")),
  );
  expect(readers.sort()).toEqual(["cli/src/host.ts", "sdk/src/environment.ts"]);
});

/** Entries that users import beside a package's main one; `testing` is left out of what is published. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  // The files as Flyte publishes them, which reflection shows: ours have what calls need.
  // Tasks as they are registered are read by one command, and bring the descriptors of most of Flyte.
  idl: ["./published", "./tasks"],
  sdk: ["./connection", "./remote"],
  // What a program of one's own needs to start parts by the command's configuration, without the command's modules.
  cli: ["./configured"],
  // What needs a terminal, or a running test, is kept apart from what works anywhere.
  testkit: ["./terminal", "./vitest"],
};

test.each(names)("%s has no entries that exist only to get round it", (name) => {
  const { exports = {} } = readJson(name, "package.json");
  const others = Object.keys(exports ?? {}).filter((entry) => entry !== "." && entry !== "./testing");
  expect(others.sort()).toEqual(ENTRIES[name] ?? []);
});
