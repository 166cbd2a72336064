import type { Host } from "../host.ts";
import { readText } from "../values/read-input.ts";
import { type KubernetesObject, readManifests } from "./read-manifests.ts";

/** The objects in a file, or with `-` on standard input; `option` is what named it. Throws as both readers do. */
export async function readManifestFile(file: string, option: string, host: Host): Promise<KubernetesObject[]> {
  return readManifests(await readText(file, { option, host }), file === "-" ? "standard input" : file);
}
