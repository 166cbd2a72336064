// Writes the plain manifests from the Helm chart. Run as: npm run manifests
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { requireHelm } from "./helm.ts";
import { MANIFESTS, renderManifests } from "./manifests.ts";

const helm = requireHelm();
if (helm.missing) throw new Error(`This needs ${helm.what}: ${helm.enable}`);
for (const [name, text] of await renderManifests()) {
  writeFileSync(join(MANIFESTS, name), text);
  console.log(`deploy/manifests/${name} written`);
}
