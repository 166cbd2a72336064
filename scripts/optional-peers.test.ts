import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Manifest, publishedNames, readManifest, root } from "./published-packages.ts";

const packageManifest = (name: string) => readManifest(join(root, "packages", name));

async function manifests(): Promise<readonly (readonly [string, Manifest])[]> {
  const names = await publishedNames();
  return Promise.all(names.map(async (name) => [name, await packageManifest(name)] as const));
}

/** No agent runs in a cluster. */
const NOT_IN_IMAGE = ["@modelcontextprotocol/sdk"];

test("the image and the package's own tests hold the same version of each optional peer", async () => {
  const { dependencies: image = {} } = await readManifest(join(root, "deploy"));
  const foreign = Object.entries(image).filter(([name]) => !name.startsWith("@flyte-secrets/"));
  const peers: Record<string, string> = {};
  for (const [name, { peerDependencies = {}, peerDependenciesMeta, devDependencies = {} }] of await manifests()) {
    for (const [peer, range] of Object.entries(peerDependencies)) {
      expect(peerDependenciesMeta?.[peer], `${name}: ${peer}`).toEqual({ optional: true });
      expect(range, `${name}: ${peer}`).toBe(`^${devDependencies[peer]}`);
      if (!NOT_IN_IMAGE.includes(peer)) peers[peer] = devDependencies[peer] ?? "";
    }
  }
  expect(Object.fromEntries(foreign)).toEqual(peers);
});

test("the errors about packages that are not installed name each optional peer with its major version", async () => {
  for (const [name, { peerDependencies = {} }] of await manifests()) {
    const sources = globSync(`packages/${name}/src/**/*.ts`, { cwd: root, exclude: ["**/*.test.ts"] });
    const text = sources.map((file) => readFileSync(join(root, file), "utf8")).join("\n");
    const named = [...text.matchAll(/"(@[\w-]+\/[\w-]+@[\d.]+)"/g)].map(([, specifier]) => specifier);
    expect(named.toSorted(), name).toEqual(Object.entries(peerDependencies).map(specifierOf).toSorted());
  }
});

/** As npm takes it: `^3.1.0` allows what `@3` does, and `^0.301.0` what `@0.301` does. */
function specifierOf([peer, range]: [string, string]): string {
  const [major = "", minor = ""] = range.slice(1).split(".");
  return `${peer}@${major === "0" ? `0.${minor}` : major}`;
}

test("published libraries take newer versions of what others publish, and exactly this release of each other", async () => {
  for (const [name, { version, dependencies = {} }] of await manifests()) {
    for (const [dependency, range] of Object.entries(dependencies)) {
      const expected = dependency.startsWith("@flyte-secrets/") ? version : expect.stringMatching(/^\^\d/);
      expect(range, `${name}: ${dependency}`).toEqual(expected);
    }
  }
});
