import { describe, expect, it } from "vitest";
import { datedChangelog, readReleaseFiles, releaseFiles, tagMessage } from "./release.ts";

describe("a release", () => {
  it("sets one version in every package, in what they need of each other, in the lock file and in the chart", async () => {
    const files = await readReleaseFiles();
    const changed = releaseFiles(files, { version: "9.8.7" });
    for (const [path, text] of changed) {
      if (!path.endsWith(".json")) continue;
      const { version, packages = { "": JSON.parse(text) } } = JSON.parse(text);
      expect(version, path).toBe("9.8.7");
      for (const [place, entry] of Object.entries<Record<string, Record<string, string>>>(packages)) {
        if (place.includes("node_modules/")) continue;
        const own = Object.entries({ ...entry.dependencies, ...entry.devDependencies });
        for (const [name, range] of own.filter(([name]) => name.startsWith("@flyte-secrets/"))) {
          expect(range, `${path} ${place}: ${name}`).toBe("9.8.7");
        }
      }
    }
    expect([...changed.keys()].filter((path) => path.endsWith("package.json"))).toEqual(
      [...files.keys()].filter((path) => path.endsWith("package.json")),
    );
    expect(changed.get("deploy/helm/flyte-secrets/Chart.yaml")).toMatch(/^version: 9\.8\.7\nappVersion: 9\.8\.7$/m);
    expect(changed.get("deploy/Dockerfile")).toContain("flyte-secrets:9.8.7 .");
    expect(changed.has("deploy/helm/flyte-secrets/values.yaml")).toBe(false);
  });

  it("puts the digest of its image into the chart", async () => {
    const imageDigest = `sha256:${"a".repeat(64)}`;
    const changed = releaseFiles(await readReleaseFiles(), { version: "9.8.7", imageDigest });
    expect(changed.get("deploy/helm/flyte-secrets/values.yaml")).toContain(`  digest: ${imageDigest}\n`);
  });

  it("refuses what is no version", async () => {
    const files = await readReleaseFiles();
    for (const version of ["", "1.2", "v1.2.3", "1.2.3 ", "1.2.3-", "latest"]) {
      expect(() => releaseFiles(files, { version })).toThrow("is not a version");
    }
  });

  it("dates the changelog's section, and takes it for the message of the tag", () => {
    const before = "# Changelog\n\n## Unreleased\n\n### Fixed\n\n- A leak.\n\n## 0.1.0 (2026-01-01)\n\n- All.\n";
    const after = datedChangelog(before, "0.2.0", "2026-02-03");
    expect(after).toBe(
      "# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-02-03)\n\n### Fixed\n\n- A leak.\n\n## 0.1.0 (2026-01-01)\n\n- All.\n",
    );
    expect(tagMessage(after, "0.2.0")).toBe("flyte-secrets 0.2.0\n\nFixed\n\n- A leak.\n");
    expect(datedChangelog(after, "0.2.0", "2026-03-04")).toBe(after);
    expect(() => datedChangelog(after, "0.3.0", "2026-02-03")).toThrow("CHANGELOG.md has nothing under Unreleased");
  });

  it("dates a section that waits for its date, when nothing else is unreleased", () => {
    const before = "## Unreleased\n\n## 0.1.0 (not released yet)\n\n- All.\n";
    expect(datedChangelog(before, "0.1.0", "2026-02-03")).toBe("## Unreleased\n\n## 0.1.0 (2026-02-03)\n\n- All.\n");
    const both = before.replace("Unreleased\n", "Unreleased\n\n- More.\n");
    expect(() => datedChangelog(both, "0.1.0", "2026-02-03")).toThrow("move what is under Unreleased to 0.1.0");
  });
});
