// Copies the files of @flyteorg/flyteidl2 that src/ reaches into generated/, where tsc compiles them: the package
// ships TypeScript only, which Node refuses to load from node_modules. published/ has them as they are, used/ has of
// each what the calls need. Neither is committed.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, normalize } from "node:path";
import { keepUsed } from "./keep-used.mjs";

const here = import.meta.dirname;
const source = dirname(createRequire(import.meta.url).resolve("@flyteorg/flyteidl2/package.json"));
const target = join(here, "generated");

/** What is spoken: with all that these name, it is what used/ has. */
const USED = [
  "flyteidl2.secret.SecretService",
  "flyteidl2.cluster.ClusterService",
  "flyteidl2.auth.AuthMetadataService",
  "flyteidl2.core.Secret",
];

const importsOf = (text) => [...text.matchAll(/from "(\.{1,2}\/[^"]+)"/g)].map((match) => match[1]);

/** The published files that src/ reaches, by their path. */
function readPublished() {
  const pending = readdirSync(join(here, "src"))
    .filter((name) => name.endsWith(".ts"))
    .flatMap((file) => importsOf(readFileSync(join(here, "src", file), "utf8")))
    .flatMap((path) => /^\.\.\/generated\/[^/]+\/(.*)$/.exec(path)?.[1] ?? []);
  const files = new Map();
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (files.has(path)) continue;
    const text = readFileSync(join(source, path), "utf8");
    files.set(path, text);
    pending.push(...importsOf(text).map((next) => normalize(join(dirname(path), next))));
  }
  return files;
}

function write(directory, files) {
  for (const [path, text] of files) {
    const file = join(target, directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

rmSync(target, { recursive: true, force: true });
const published = readPublished();
write("published", published);
write("used", keepUsed(published, USED));
