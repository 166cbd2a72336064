// The packages of this repository that are published, packed as they are published.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";

/** The part of a `package.json` that packing reads or changes. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

/** A published package as users get it: a directory that npm can pack. */
export interface PublishedPackage {
  readonly directory: string;
  readonly manifest: Manifest;
}

export const SCOPE = "@flyte-secrets/";
export const root = join(import.meta.dirname, "..");

/** Runs a program to its end and returns its standard output. */
export async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

export async function readManifest(directory: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(directory, "package.json"), "utf8"));
}

export async function writeManifest(directory: string, manifest: object): Promise<void> {
  await writeFile(join(directory, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

export const LOCK_FILE = "package-lock.json";

/** The text of every `package.json` of the workspace and of the lock file, by its path in the repository. */
export async function readManifestFiles(): Promise<Map<string, string>> {
  const manifest: { workspaces: string[] } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const paths = [LOCK_FILE, "package.json", ...manifest.workspaces.map((path) => `${path}/package.json`)];
  return new Map(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(root, path), "utf8")] as const)),
  );
}

/** Names of the folders of `packages` that are published, without the scope. */
export async function publishedNames(): Promise<readonly string[]> {
  const names = await readdir(join(root, "packages"));
  const manifests = await Promise.all(names.map((name) => readManifest(join(root, "packages", name))));
  return names.filter((_, at) => !manifests[at]?.private).toSorted();
}

/** Packs the npm package in `directory` into `target` and returns the tarball's path. */
export async function packDirectory(directory: string, target: string): Promise<string> {
  const [tarball] = await npmPack(directory, target, []);
  if (tarball === undefined) throw new Error(`npm packed nothing of ${directory}`);
  return tarball;
}

/**
 * Writes the published packages of these names below `scratch`: what npm would pack of each, without the development
 * dependencies and without the `./testing` entry, both of which only this repository's own tests need.
 */
export async function preparePackages(
  names: readonly string[],
  scratch: string,
): Promise<Map<string, PublishedPackage>> {
  const tarballs = join(scratch, "tarballs");
  await mkdir(tarballs, { recursive: true });
  const prepared = new Map<string, PublishedPackage>();
  for (const tarball of await npmPack(root, tarballs, names)) {
    const directory = join(scratch, "packages", basename(tarball, ".tgz"));
    await mkdir(directory, { recursive: true });
    await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", directory], directory);
    const manifest = withoutTesting(await readManifest(directory));
    await writeManifest(directory, manifest);
    prepared.set(manifest.name, { directory, manifest });
  }
  return prepared;
}

/**
 * Packs every published package into `target`, as the registry gets it, and returns the tarballs' paths. `change` is
 * applied to each manifest: a release gives another version.
 */
export async function packPublished(
  target: string,
  change: (manifest: Manifest) => object = (manifest) => manifest,
): Promise<readonly string[]> {
  const scratch = await mkdtemp(join(tmpdir(), "flyte-secrets-published-"));
  try {
    const packages = await preparePackages(await publishedNames(), scratch);
    const tarballs: string[] = [];
    for (const { directory, manifest } of packages.values()) {
      await writeManifest(directory, change(manifest));
      tarballs.push(await packDirectory(directory, target));
    }
    return tarballs;
  } finally {
    await rm(scratch, { recursive: true });
  }
}

function withoutTesting({ devDependencies: _, exports = {}, ...rest }: Manifest): Manifest {
  const { "./testing": _testing, ...entries } = exports;
  return { ...rest, exports: entries };
}

async function npmPack(cwd: string, target: string, names: readonly string[]): Promise<readonly string[]> {
  const workspaces = names.flatMap((name) => ["--workspace", `packages/${name}`]);
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", target, ...workspaces];
  const packed: { filename: string }[] = Object.values(JSON.parse(await run("npm", args, cwd)));
  return packed.map(({ filename }) => join(target, filename));
}
