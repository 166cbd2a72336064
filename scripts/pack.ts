// Packs what a user installs, into one file each: the command, and the SDK. Each holds the packages of this repository
// that it needs, so that only those of others come from the registry: npm run pack -- --to DIRECTORY
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import {
  type Manifest,
  type PublishedPackage,
  packDirectory,
  preparePackages,
  readManifest,
  root,
  SCOPE,
  writeManifest,
} from "./published-packages.ts";

const PRODUCTS = [
  { package: "cli", what: "the command, for Node 24 and newer", install: "npm install --global" },
  { package: "sdk", what: "the SDK of your tasks, for Node 22.12 and newer", install: "npm install" },
] as const;

const ownDependencies = ({ dependencies = {} }: Manifest): string[] =>
  Object.keys(dependencies)
    .filter((name) => name.startsWith(SCOPE))
    .map((name) => name.slice(SCOPE.length));

/** The packages of this repository that one needs, whether itself or by another, without itself. */
async function closureOf(name: string, found = new Set<string>()): Promise<Set<string>> {
  for (const dependency of ownDependencies(await readManifest(join(root, "packages", name)))) {
    if (found.has(dependency)) continue;
    found.add(dependency);
    await closureOf(dependency, found);
  }
  return found;
}

type Ranges = Readonly<Record<string, string>>;

/** The ranges of several packages for those of others, in one. Throws when two packages give one different ranges. */
function mergeForeign(ranges: readonly Ranges[]): Ranges {
  const all: Record<string, string> = {};
  for (const [name, range] of ranges.flatMap((each) => Object.entries(each))) {
    if (name.startsWith(SCOPE)) continue;
    if ((all[name] ?? range) !== range) throw new Error(`our packages need ${name} ${range} and ${name} ${all[name]}`);
    all[name] = range;
  }
  return all;
}

/** Packs one product with the packages it bundles into `directory` and returns the tarball's path. */
async function packProduct(
  name: string,
  packages: ReadonlyMap<string, PublishedPackage>,
  directory: string,
): Promise<string> {
  const packageOf = (one: string) => {
    const found = packages.get(SCOPE + one);
    if (found === undefined) throw new Error(`${one} was not packed`);
    return found;
  };
  const outer = packageOf(name);
  const inner: Manifest[] = [];
  for (const other of [...(await closureOf(name))].toSorted()) {
    const { directory: from, manifest } = packageOf(other);
    const target = join(outer.directory, "node_modules", SCOPE, other);
    await cp(from, target, { recursive: true, filter: (path) => !path.startsWith(join(from, "node_modules")) });
    // The outer package names the dependencies of all.
    const { dependencies: _, peerDependencies: _peers, peerDependenciesMeta: _meta, ...rest } = manifest;
    await writeManifest(target, rest);
    inner.push(manifest);
  }
  const all = [outer.manifest, ...inner];
  const own = Object.fromEntries(inner.map(({ name, version }) => [name, version]));
  await writeManifest(outer.directory, {
    ...outer.manifest,
    dependencies: { ...own, ...mergeForeign(all.map(({ dependencies = {} }) => dependencies)) },
    peerDependencies: mergeForeign(all.map(({ peerDependencies = {} }) => peerDependencies)),
    peerDependenciesMeta: Object.assign({}, ...all.map(({ peerDependenciesMeta = {} }) => peerDependenciesMeta)),
    bundleDependencies: Object.keys(own),
  });
  return packDirectory(outer.directory, directory);
}

const { to } = parseArgs({ options: { to: { type: "string", default: "packed" } } }).values;
// Where the user typed it: npm runs scripts in the package's directory.
const directory = resolve(process.env.INIT_CWD ?? process.cwd(), to);
const scratch = await mkdtemp(join(tmpdir(), "flyte-secrets-pack-"));
try {
  await mkdir(directory, { recursive: true });
  for (const { package: name, what, install } of PRODUCTS) {
    const names = [name, ...(await closureOf(name))];
    const tarball = await packProduct(name, await preparePackages(names, join(scratch, name)), directory);
    console.log(`Packed ${what}. Install it with:\n  ${install} ${tarball}`);
  }
} finally {
  await rm(scratch, { recursive: true });
}
