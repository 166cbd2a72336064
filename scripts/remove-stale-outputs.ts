// Deletes compiled files whose source is gone, which `tsc -b` leaves in dist/: imports of them would go on working.
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

const OUTPUT = /\.(?:js|d\.ts)(?:\.map)?$/;

/** Deletes the outputs of a package that have no source any more. Returns their paths within `dist`. */
export function removeStaleOutputs(directory: string): string[] {
  const dist = join(directory, "dist");
  if (!existsSync(dist)) return [];
  const { compilerOptions } = JSON.parse(readFileSync(join(directory, "tsconfig.json"), "utf8"));
  const sources = join(directory, compilerOptions.rootDir);
  const stale = readdirSync(dist, { recursive: true, encoding: "utf8" })
    .filter((path) => OUTPUT.test(path) && !existsSync(join(sources, path.replace(OUTPUT, ".ts"))))
    .toSorted();
  for (const path of stale) rmSync(join(dist, path));
  return stale;
}

if (import.meta.main) {
  const packages = join(import.meta.dirname, "../packages");
  for (const name of readdirSync(packages)) removeStaleOutputs(join(packages, name));
}
