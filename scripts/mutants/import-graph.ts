import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Which files of this repository import which, by their paths from its root. */
export interface ImportGraph {
  /** The tests that a change of `file` can reach, nearest first: by imports, then by what they are called. */
  testsOf(file: string): string[];
}

const SOURCES = "packages/*/src/**/*.ts";
/**
 * Of these the tests of other packages are asked too; what is above the others mostly starts processes, which have the
 * built packages.
 */
const LOW_PACKAGES: ReadonlySet<string | undefined> = new Set([
  "core",
  "inject",
  "http",
  "config",
  "kube",
  "store",
  "certificates",
  "lookup",
]);
const packageOf = (file: string) => file.split("/")[1];

/** Whoever imports a package's entry makes use of a small part of it. */
const ENTRY_DISTANCE = 5;
/** Of `import … from`, `export … from`, `import(…)` and `import "…"`. */
const SPECIFIER = /(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g;

/** By the text of the sources alone; `root` has the entries of packages as {@link sourceEntries} finds them. */
export function readImportGraph(root: string): ImportGraph {
  const entries = sourceEntries(root);
  const isEntry = new Set(entries.values());
  const importers = new Map<string, Set<string>>();
  for (const file of globSync(SOURCES, { cwd: root, exclude: (name) => name === "node_modules" })) {
    for (const [, specifier = ""] of readFileSync(join(root, file), "utf8").matchAll(SPECIFIER)) {
      const target = specifier.startsWith(".") ? join(dirname(file), specifier) : entries.get(specifier);
      if (target === undefined) continue;
      const known = importers.get(target) ?? new Set();
      importers.set(target, known.add(file));
    }
  }
  return {
    testsOf(file) {
      const distances = new Map([[file, 0]]);
      const ahead = [file];
      for (let each = ahead.shift(); each !== undefined; each = ahead.shift()) {
        const distance = (distances.get(each) ?? 0) + (isEntry.has(each) ? ENTRY_DISTANCE : 1);
        for (const importer of importers.get(each) ?? []) {
          if (distance >= (distances.get(importer) ?? Number.POSITIVE_INFINITY)) continue;
          distances.set(importer, distance);
          ahead.push(importer);
        }
      }
      const isLow = LOW_PACKAGES.has(packageOf(file));
      const own = file.replace(/\.ts$/, ".test.ts");
      const rank = ([test, distance]: [string, number]) =>
        test === own ? 0 : distance * 2 + (dirname(test) === dirname(file) ? 0 : 1);
      return [...distances]
        .filter(([each]) => each.endsWith(".test.ts") && (isLow || packageOf(each) === packageOf(file)))
        .toSorted((one, other) => rank(one) - rank(other))
        .map(([test]) => test);
    },
  };
}

/** The source of each entry of a package, by what it is imported as. */
export function sourceEntries(root: string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const file of globSync("packages/*/package.json", { cwd: root })) {
    // Written in this repository.
    const { name, exports } = JSON.parse(readFileSync(join(root, file), "utf8")) as {
      readonly name: string;
      readonly exports?: Readonly<Record<string, { readonly default?: string }>>;
    };
    // What is generated has no source of ours.
    if (name === "@flyte-secrets/idl") continue;
    for (const [entry, target] of Object.entries(exports ?? {})) {
      const source = target.default?.replace(/^\.\/dist\//, "src/").replace(/\.js$/, ".ts");
      if (source !== undefined) entries.set(join(name, entry), join(dirname(file), source));
    }
  }
  return entries;
}
