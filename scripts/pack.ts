// Packs what a user installs, into one file each: the command, and the SDK. Each holds the packages of this repository that it needs, so
// that only those of others come from the registry: npm run pack -- --to DIRECTORY
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
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

/** Unpacks a workspace, as npm would publish it, into `target`. */
async function stage(name: string, target: string, scratch: string): Promise<Manifest> {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", scratch, "--workspace", `packages/${name}`];
  const packed: { filename: string }[] = Object.values(JSON.parse(await run("npm", args, root)));
  const tarball = packed.map(({ filename }) => join(scratch, filename)).join("");
  await mkdir(target, { recursive: true });
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", target], scratch);
  return readManifest(target);
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

async function packProduct(name: string, directory: string, scratch: string): Promise<string> {
  const target = join(scratch, name);
  const { devDependencies: _, ...outer } = await stage(name, target, scratch);
  const bundled = [...(await closureOf(name))].toSorted();
  const inner: Manifest[] = [];
  for (const other of bundled) {
    const path = join(target, "node_modules", SCOPE, other);
    const { devDependencies: _, dependencies, ...rest } = await stage(other, path, scratch);
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
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", scratch];
  const [packed]: { filename: string }[] = Object.values(JSON.parse(await run("npm", args, target)));
  if (packed === undefined) throw new Error(`npm packed nothing of ${name}`);
  await run("cp", [join(scratch, packed.filename), `${directory}/`], scratch);
  return join(directory, packed.filename);
}

const { to } = parseArgs({ options: { to: { type: "string", default: "packed" } } }).values;
// Where the user typed it: npm runs scripts in the package's directory.
const directory = resolve(process.env.INIT_CWD ?? process.cwd(), to);
const scratch = await mkdtemp(join(tmpdir(), "flyte-secrets-pack-"));
try {
  await mkdir(directory, { recursive: true });
  for (const { package: name, what, install } of PRODUCTS) {
    const tarball = await packProduct(name, directory, scratch);
    console.log(`Packed ${what}. Install it with:\n  ${install} ${tarball}`);
  }
} finally {
  await rm(scratch, { recursive: true });
}
