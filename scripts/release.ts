// Prepares a release: npm run release -- VERSION [--to DIRECTORY] [--image sha256:...] [--write]
// Packs what is published, with SBOM and checksums, into DIRECTORY. Only with --write are the checkout's files changed.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { pinImage } from "./pin-image.ts";
import { LOCK_FILE, packPublished, readManifestFiles, root, SCOPE } from "./published-packages.ts";
import { createSbom } from "./sbom.ts";

const CHANGELOG = "CHANGELOG.md";
const CHART = "deploy/helm/flyte-secrets/Chart.yaml";
const VALUES = "deploy/helm/flyte-secrets/values.yaml";
/** Other files that name the image with its version. */
const IMAGE_MENTIONS = new Set([
  "deploy/Dockerfile",
  "docs/installation.md",
  "e2e/installation/chart-values.test.ts",
  "e2e/installation/chart.test.ts",
  "e2e/pages/page-lists.ts",
]);

/** https://semver.org, without build metadata, which npm ignores. */
const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

export interface Release {
  readonly version: string;
  /** The digest of the release's image; without it the chart keeps the one that it has. */
  readonly imageDigest?: string;
}

/** The files of the checkout that a release changes, without the changelog: path to new text, from path to old text. */
export function releaseFiles(files: ReadonlyMap<string, string>, release: Release): Map<string, string> {
  const { version, imageDigest } = release;
  if (!VERSION.test(version)) throw new Error(`${version.slice(0, 50)} is not a version such as 1.2.3 or 1.2.3-rc.1`);
  const old: string = JSON.parse(textOf(files, "package.json")).version;
  const changed = new Map<string, string>();
  for (const [path, text] of files) {
    const content = newText(path, text);
    if (content !== text) changed.set(path, content);
  }
  return changed;

  function newText(path: string, text: string): string {
    if (path === LOCK_FILE) return setLockVersion(text, version);
    if (path.endsWith("package.json")) return print(setVersion(JSON.parse(text), version));
    if (path === CHART) return text.replace(/^(version|appVersion): .*$/gm, `$1: ${version}`);
    if (path === VALUES) return imageDigest === undefined ? text : pinImage(text, imageDigest);
    return IMAGE_MENTIONS.has(path) ? text.replaceAll(`flyte-secrets:${old}`, `flyte-secrets:${version}`) : text;
  }
}

/** The section of the changelog for this version: the message of the tag, below its title. */
export function tagMessage(changelog: string, version: string): string {
  const [, ...sections] = changelog.split(/^## /m);
  const section = sections.find((each) => each.startsWith(`${version} `));
  if (section === undefined) throw new Error(`${CHANGELOG} has no section ${version}`);
  return `flyte-secrets ${version}\n\n${section.slice(section.indexOf("\n")).trim().replaceAll(/^### /gm, "")}\n`;
}

/**
 * The changelog with a date at this version. What is under `Unreleased` becomes its section, unless it has one that
 * waits for its date. A section that has its date stays. Throws when nothing is said about the version.
 */
export function datedChangelog(text: string, version: string, date: string): string {
  const waiting = `## ${version} (not released yet)`;
  const heading = `## ${version} (${date})`;
  if (new RegExp(`^## ${version} \\(\\d`, "m").test(text)) return text;
  const [unreleased = ""] = text.split("## Unreleased\n")[1]?.split(/^## /m) ?? [];
  if (text.includes(waiting)) {
    if (unreleased.trim() !== "") throw new Error(`${CHANGELOG}: move what is under Unreleased to ${version}`);
    return text.replace(waiting, heading);
  }
  if (unreleased.trim() === "") throw new Error(`${CHANGELOG} has nothing under Unreleased`);
  return text.replace("## Unreleased\n", `## Unreleased\n\n${heading}\n`);
}

interface Versioned {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** A manifest with this version, which its dependencies on our other packages get, too. */
function setVersion(manifest: Versioned, version: string): Versioned {
  const renew = (ranges: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(ranges).map(([name, range]) => [name, name.startsWith(SCOPE) ? version : range]));
  return {
    ...manifest,
    ...(manifest.version !== undefined && { version }),
    ...(manifest.dependencies && { dependencies: renew(manifest.dependencies) }),
    ...(manifest.devDependencies && { devDependencies: renew(manifest.devDependencies) }),
  };
}

function setLockVersion(text: string, version: string): string {
  const lock = JSON.parse(text);
  for (const [path, entry] of Object.entries<Versioned>(lock.packages)) {
    if (!path.includes("node_modules/")) lock.packages[path] = setVersion(entry, version);
  }
  return print({ ...lock, version });
}

const print = (content: object): string => `${JSON.stringify(content, undefined, 2)}\n`;

function textOf(files: ReadonlyMap<string, string>, path: string): string {
  const text = files.get(path);
  if (text === undefined) throw new Error(`${path} is missing`);
  return text;
}

/** All files that a release may change, without the changelog, as they are in the checkout. */
export async function readReleaseFiles(): Promise<Map<string, string>> {
  const files = await readManifestFiles();
  for (const path of [CHART, VALUES, ...IMAGE_MENTIONS]) {
    files.set(path, await readFile(join(root, path), "utf8"));
  }
  return files;
}

/** Writes the release's artifacts into `directory`: tarballs, SBOM and checksums of them all. Returns their names. */
async function writeArtifacts(directory: string, files: ReadonlyMap<string, string>, version: string) {
  const manifests = new Map([...files].filter(([path]) => path === LOCK_FILE || path.endsWith("package.json")));
  const tarballs = await packPublished(directory, (manifest) => setVersion(manifest, version));
  await writeFile(join(directory, "sbom.cdx.json"), await createSbom(manifests));
  const names = [...tarballs.map((tarball) => basename(tarball)), "sbom.cdx.json"].toSorted();
  const sums = await Promise.all(
    names.map(async (name) => {
      const content = await readFile(join(directory, name));
      return `${createHash("sha256").update(content).digest("hex")}  ${name}\n`;
    }),
  );
  await writeFile(join(directory, "SHA256SUMS"), sums.join(""));
  return [...names, "SHA256SUMS"];
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { to: { type: "string" }, image: { type: "string" }, write: { type: "boolean", default: false } },
  });
  const [version = "", ...rest] = positionals;
  if (version === "" || rest.length > 0) {
    throw new Error("Give one version: npm run release -- VERSION [--to DIRECTORY] [--image sha256:...] [--write]");
  }
  const old = await readReleaseFiles();
  const changed = releaseFiles(old, { version, ...(values.image && { imageDigest: values.image }) });
  // Where the user typed it: npm runs scripts in the package's directory.
  const directory = resolve(process.env.INIT_CWD ?? process.cwd(), values.to ?? `release-${version}`);
  await mkdir(directory, { recursive: true });
  if ((await readdir(directory)).length > 0) throw new Error(`${directory} is not empty: give another with --to`);
  const changelog = await readFile(join(root, CHANGELOG), "utf8");
  const names = [...(await writeArtifacts(directory, new Map([...old, ...changed]), version))];
  try {
    const dated = datedChangelog(changelog, version, new Date().toISOString().slice(0, 10));
    await writeFile(join(directory, "tag-message.txt"), tagMessage(dated, version));
    if (dated !== changelog) changed.set(CHANGELOG, dated);
    names.push("tag-message.txt");
  } catch (error) {
    if (values.write) throw error;
    console.log(`Not ready: ${error instanceof Error ? error.message : error}`);
  }
  console.log(`Wrote to ${directory}:\n${names.map((name) => `  ${name}`).join("\n")}`);

  if (values.write) for (const [path, text] of changed) await writeFile(join(root, path), text);
  const [done, next] = values.write
    ? ["Changed", ["npm run manifests && npm run docs"]]
    : ["Would change (with --write)", [`npm run release -- ${version} --write`, "npm run manifests && npm run docs"]];
  console.log(`${done}:\n${[...changed.keys()].map((path) => `  ${path}`).join("\n")}`);
  const commands = [
    ...next,
    "npm run check",
    `git commit --all --message "Release ${version}"`,
    `git tag --annotate v${version} --file ${join(directory, "tag-message.txt")}`,
    "git push --follow-tags",
  ];
  console.log(`Next:\n${commands.map((command) => `  ${command}`).join("\n")}`);
  console.log("The workflow release.yaml builds the image, publishes the packages and makes the release of that tag.");
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
