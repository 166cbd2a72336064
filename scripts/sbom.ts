// Prints the list of all that the image holds, with hashes (CycloneDX). Run as: npm run --silent sbom > sbom.json
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { LOCK_FILE, readManifestFiles, run } from "./published-packages.ts";

/** The workspace whose dependencies are what the image holds. */
const IMAGE = "deploy";

/**
 * A CycloneDX document of the image's dependencies, made from the manifests and the lock file of {@link
 * readManifestFiles}.
 *
 * `npm sbom --omit=dev` leaves out a package that is also a development dependency of any workspace. So npm gets a copy
 * of the files without development dependencies.
 */
export async function createSbom(files: ReadonlyMap<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "flyte-secrets-sbom-"));
  try {
    for (const [path, text] of files) {
      const content = JSON.parse(text);
      if (path === LOCK_FILE) {
        for (const [place, entry] of Object.entries<object>(content.packages)) {
          if (!place.includes("node_modules/")) content.packages[place] = withoutTools(entry);
        }
      }
      const target = join(directory, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, JSON.stringify(path === LOCK_FILE ? content : withoutTools(content)));
    }
    return await run(
      "npm",
      ["sbom", "--package-lock-only", "--sbom-format=cyclonedx", "--workspace", IMAGE],
      directory,
    );
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** A manifest without development dependencies and, of the root, without the Node that the checkout brings. */
function withoutTools(manifest: { devDependencies?: unknown; optionalDependencies?: unknown }): object {
  const { devDependencies: _, optionalDependencies: _optional, ...rest } = manifest;
  return rest;
}

if (import.meta.main) process.stdout.write(await createSbom(await readManifestFiles()));
