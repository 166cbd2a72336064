// Packs what a user installs, into one file each: the command, and the SDK. Each holds the packages of this repository that
// it needs, so that only those of others come from the registry: npm run pack -- --to DIRECTORY
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

const PRODUCTS = [
  { package: "cli", what: "the command, for Node 24 and newer", install: "npm install --global" },
  { package: "sdk", what: "the SDK of your tasks, for Node 22.12 and newer", install: "npm install" },
] as const;
const SCOPE = "@flyte-secrets/";
const root = join(import.meta.dirname, "..");

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd, maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

async function readManifest(directory: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(directory, "package.json"), "utf8"));
}

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

/** Has npm pack packages as it would publish them, into `scratch`, and gives their tarballs by the package's name. */
async function pack(cwd: string, scratch: string, names: readonly string[] = []): Promise<Map<string, string>> {
  const workspaces = names.flatMap((name) => ["--workspace", `packages/${name}`]);
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", scratch, ...workspaces];
  const packed: { name: string; filename: string }[] = Object.values(JSON.parse(await run("npm", args, cwd)));
  return new Map(packed.map(({ name, filename }) => [name, join(scratch, filename)]));
}

/** Unpacks a tarball of {@link pack} into `target`. */
async function unpack(tarball: string | undefined, target: string): Promise<Manifest> {
  if (tarball === undefined) throw new Error(`npm packed nothing for ${target}`);
  await mkdir(target, { recursive: true });
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", target], target);
  return readManifest(target);
}

/** A manifest without what only this repository's own tests have of a package. */
function published<T extends Manifest>({ devDependencies: _, exports = {}, ...rest }: T) {
  const { "./testing": _testing, ...entries } = exports;
  return { ...rest, exports: entries };
}

/** Those of others, of several packages. Throws when two want different versions. */
function foreignDependencies(manifests: readonly Manifest[]): Record<string, string> {
  const all: Record<string, string> = {};
  for (const { name, dependencies = {} } of manifests) {
    for (const [dependency, version] of Object.entries(dependencies)) {
      if (dependency.startsWith(SCOPE)) continue;
      const other = all[dependency] ?? version;
      if (other !== version)
        throw new Error(`${name} needs ${dependency} ${version}, another of our packages ${other}`);
      all[dependency] = version;
    }
  }
  return all;
}

interface Place {
  readonly directory: string;
  readonly scratch: string;
  /** Of our packages, by name. */
  readonly tarballs: ReadonlyMap<string, string>;
}

async function packProduct(name: string, { directory, scratch, tarballs }: Place): Promise<string> {
  const target = join(scratch, name);
  const outer = published(await unpack(tarballs.get(SCOPE + name), target));
  const bundled = [...(await closureOf(name))].toSorted();
  const inner: Manifest[] = [];
  for (const other of bundled) {
    const path = join(target, "node_modules", SCOPE, other);
    const { dependencies, ...rest } = published(await unpack(tarballs.get(SCOPE + other), path));
    inner.push({ ...rest, ...(dependencies && { dependencies }) });
    // Those of others are the whole bundle's.
    await writeFile(join(path, "package.json"), `${JSON.stringify(rest, undefined, 2)}\n`);
  }
  const own = Object.fromEntries(inner.map(({ name, version }) => [name, version]));
  const manifest = {
    ...outer,
    dependencies: { ...own, ...foreignDependencies([outer, ...inner]) },
    bundleDependencies: Object.keys(own),
  };
  await writeFile(join(target, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  const [tarball] = [...(await pack(target, scratch)).values()];
  if (tarball === undefined) throw new Error(`npm packed nothing for ${name}`);
  const packed = join(directory, basename(tarball));
  await copyFile(tarball, packed);
  return packed;
}

const { to } = parseArgs({ options: { to: { type: "string", default: "packed" } } }).values;
// Where the user typed it: npm runs scripts in the package's directory.
const directory = resolve(process.env.INIT_CWD ?? process.cwd(), to);
const scratch = await mkdtemp(join(tmpdir(), "flyte-secrets-pack-"));
try {
  await mkdir(directory, { recursive: true });
  const closures = await Promise.all(PRODUCTS.map(({ package: name }) => closureOf(name)));
  const names = new Set([...PRODUCTS.map(({ package: name }) => name), ...closures.flatMap((closure) => [...closure])]);
  const tarballs = await pack(root, scratch, [...names]);
  for (const { package: name, what, install } of PRODUCTS) {
    const tarball = await packProduct(name, { directory, scratch, tarballs });
    console.log(`Packed ${what}. Install it with:\n  ${install} ${tarball}`);
  }
} finally {
  await rm(scratch, { recursive: true });
}
