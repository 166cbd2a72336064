import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packPublished, publishedNames } from "../scripts/published-packages.ts";

const root = join(import.meta.dirname, "..");

let directory: string;
let tarballs: readonly string[];

async function run(command: string, args: readonly string[], cwd = root): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd, maxBuffer: 16 * 1024 * 1024 }).catch((error) => {
    throw new Error(`${command} ${args.join(" ")}\n${error.stdout}\n${error.stderr}`);
  });
  return stdout;
}

const tool = (name: string): string => join(root, "node_modules/.bin", name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "flyte-secrets-packaging-"));
  tarballs = await packPublished(directory);
});
afterAll(() => rm(directory, { recursive: true }));

test("the tarballs hold the built package, its manifest, its page and its licence, and nothing else", async () => {
  expect(tarballs).toHaveLength((await publishedNames()).length);
  for (const tarball of tarballs) {
    const files = (await run("tar", ["-tzf", tarball])).trim().split("\n");
    expect(files).toEqual(expect.arrayContaining(["package/package.json", "package/LICENSE"]));
    expect(
      files.filter(
        (file) =>
          !/^package\/((dist|bin)\/.*\.(js|d\.ts)|python\/\w+\.py|schema\/[-\w]+\.json|package\.json|README\.md|LICENSE)$/.test(
            file,
          ),
      ),
    ).toEqual([]);
    expect(files.filter((file) => /\.test\.|\/testing\//.test(file))).toEqual([]);
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
