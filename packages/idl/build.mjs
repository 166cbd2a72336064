// Copies the files of @flyteorg/flyteidl2 that src/ reaches into generated/, where tsc compiles them: the package
// ships TypeScript only, which Node refuses to load from node_modules. The copy is never committed.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, normalize } from "node:path";

const here = import.meta.dirname;
const source = dirname(createRequire(import.meta.url).resolve("@flyteorg/flyteidl2/package.json"));
const target = join(here, "generated");
const GENERATED = "../generated/";

const importsOf = (text) => [...text.matchAll(/from "(\.{1,2}\/[^"]+)"/g)].map((match) => match[1]);

rmSync(target, { recursive: true, force: true });
const pending = readdirSync(join(here, "src"))
  .flatMap((file) => importsOf(readFileSync(join(here, "src", file), "utf8")))
  .filter((path) => path.startsWith(GENERATED))
  .map((path) => path.slice(GENERATED.length));
const seen = new Set();
for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
  if (seen.has(path)) continue;
  seen.add(path);
  const text = readFileSync(join(source, path), "utf8");
  mkdirSync(dirname(join(target, path)), { recursive: true });
  writeFileSync(join(target, path), text);
  pending.push(...importsOf(text).map((next) => normalize(join(dirname(path), next))));
}
