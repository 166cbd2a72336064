import { isObject, SecretsError } from "@flyte-secrets/core";
import { type ScalarTag, stringify } from "yaml";
import type { CliContext } from "../context.ts";
import { parseYaml } from "../formats/parse-yaml.ts";
import { readText } from "../values/read-input.ts";

/** The objects in a file, or with `-` on standard input; `option` is what named it. Throws as both readers do. */
export async function readManifestFile(file: string, option: string, cli: CliContext): Promise<KubernetesObject[]> {
  return readManifests(await readText(file, { option, cli }), file === "-" ? "standard input" : file);
}

/** A Kubernetes object as it was read: nothing about its fields is known. */
export type KubernetesObject = Readonly<Record<string, unknown>>;

/**
 * The objects of a YAML stream or JSON text; a `List` counts as what is in it. Throws `invalid_argument`, naming
 * `source` and the line, for text that is neither: never with the text itself, which may hold a value.
 */
export function readManifests(text: string, source: string): KubernetesObject[] {
  const fail = (problem: string) =>
    new SecretsError("invalid_argument", `${source} is neither YAML nor JSON: ${problem}`);
  return parseYaml(text, { merge: true, tags: KUBERNETES_TAGS, fail }).flatMap((content) =>
    content === null ? [] : flatten(content, source),
  );
}

function flatten(content: unknown, source: string): KubernetesObject[] {
  if (!isObject(content)) throw new SecretsError("invalid_argument", `${source} must hold Kubernetes objects only`);
  const { items } = content;
  return Array.isArray(items) ? items.flatMap((item) => flatten(item, source)) : [content];
}

/** Objects as a YAML stream that every reader takes alike, in the order of their fields. */
export function printManifests(objects: readonly KubernetesObject[]): string {
  // Quoted is what readers of version 1.1, kubectl among them, or of 1.2 would take for something else: `"yes"`,
  // `"0444"`, `"0o7"`.
  return objects
    .map((object) => stringify(object, { version: "1.1", compat: "core", lineWidth: 0, aliasDuplicateObjects: false }))
    .join("---\n");
}

/** What Kubernetes' YAML reader takes beyond YAML 1.2: numbers such as `0444`, and truth values such as `yes`. */
const KUBERNETES_TAGS: ScalarTag[] = [
  {
    tag: "tag:yaml.org,2002:int",
    default: true,
    test: /^[-+]?0[0-7]+$/,
    resolve: (text) => Number.parseInt(text, 8),
  },
  {
    tag: "tag:yaml.org,2002:bool",
    default: true,
    test: /^(?:yes|Yes|YES|on|On|ON|no|No|NO|off|Off|OFF)$/,
    resolve: (text) => /^(?:yes|on)$/i.test(text),
  },
];
