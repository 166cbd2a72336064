// Puts the digest of the image of a release into the chart's values. Run as: npm run pin-image -- sha256:...
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Values whose `image.digest` is this one; comments and everything else stay. Throws for what is no digest. */
export function pinImage(values: string, digest: string): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new Error(`${JSON.stringify(digest.slice(0, 120))} is not a digest: give sha256: and 64 hexadecimal digits`);
  const pinned = values.replace(/^( {2}digest: ).*$/m, `$1${digest}`);
  if (!pinned.includes(digest)) throw new Error("the chart's values have no image.digest");
  return pinned;
}

if (import.meta.main) {
  const file = join(import.meta.dirname, "../deploy/helm/flyte-secrets/values.yaml");
  try {
    await writeFile(file, pinImage(await readFile(file, "utf8"), process.argv[2] ?? ""));
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
