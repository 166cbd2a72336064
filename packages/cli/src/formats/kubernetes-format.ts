import {
  DEFAULT_ORGANIZATION,
  decodeSecretId,
  imagePullSecretName,
  isSecretsError,
  kubernetesSecretName,
  managedForm,
  type SecretId,
  type SecretValue,
  TYPE_LABEL,
} from "@flyte-secrets/core";
import { stringify } from "yaml";
import { parseYaml } from "./parse-yaml.ts";
import {
  assertUniqueEntries,
  decodeBase64,
  formatError,
  type SecretEntry,
  type SecretFormat,
  textValue,
} from "./secret-entry.ts";

const DOCKER_CONFIG_TYPE = "kubernetes.io/dockerconfigjson";
const DOCKER_CONFIG_KEY = ".dockerconfigjson";
const KUBERNETES_NAME = /^[a-z0-9](?:[-a-z0-9]{0,251}[a-z0-9])?$/;

const fail = (problem: string) => formatError(`the file can't be read as YAML: ${problem}`);

/**
 * Kubernetes Secrets, one or several documents or a List. Each key of `data` and `stringData` is one secret; a Secret
 * of type `kubernetes.io/dockerconfigjson` is one image-pull secret of the name of the Secret itself. A Secret in
 * Flyte's form is the secret whose encoded id its data key is.
 */
export const kubernetesFormat: SecretFormat = {
  name: "kubernetes",
  matches: (fileName) => /\.ya?ml$/.test(fileName),
  parse: (text) => assertUniqueEntries(mergeImagePullSecrets(parseYaml(text, { fail }).flatMap(parseManifest))),
  print: (entries, { scoped } = {}) =>
    (scoped ? entries.map(toManagedManifest) : toManifests(entries))
      .map((manifest) => stringify(manifest))
      .join("---\n"),
};

/** What a manifest may hold; checked field by field, since it comes from a file. */
interface Manifest {
  readonly kind?: unknown;
  readonly type?: unknown;
  readonly items?: unknown;
  readonly metadata?: SecretHead;
  readonly data?: unknown;
  readonly stringData?: unknown;
}

function parseManifest(document: unknown): SecretEntry[] {
  if (document === null) return [];
  const manifest: Manifest = typeof document === "object" ? document : {};
  if (Array.isArray(manifest.items)) return manifest.items.flatMap(parseManifest);
  if (manifest.kind !== "Secret") throw formatError("expected manifests of kind Secret only");
  const entries = new Map<string, SecretValue>();
  for (const [key, value] of textEntries(manifest.data)) entries.set(key, decodeBase64(value, key));
  for (const [key, value] of textEntries(manifest.stringData)) entries.set(key, textValue(value, key));
  if (manifest.type === DOCKER_CONFIG_TYPE) return [imagePullEntry(manifest, entries.get(DOCKER_CONFIG_KEY))];
  const managed = managedEntry(manifest.metadata ?? {}, entries);
  return managed ? [managed] : [...entries].map(([name, value]) => ({ name, type: "generic", value }));
}

function imagePullEntry(manifest: Manifest, value: SecretValue | undefined): SecretEntry {
  const name = manifest.metadata?.name;
  if (typeof name !== "string" || value === undefined) {
    throw formatError(`a Secret of type ${DOCKER_CONFIG_TYPE} needs metadata.name and the key ${DOCKER_CONFIG_KEY}`);
  }
  return { name, type: "image_pull", value };
}

function textEntries(map: unknown): [string, string][] {
  return Object.entries(map ?? {}).map(([key, value]) => {
    if (typeof value !== "string") throw formatError(`${key} has no value: expected a string`);
    return [key, value];
  });
}

function toManifests(entries: readonly SecretEntry[]): object[] {
  const generic = entries.filter(({ type }) => type === "generic");
  const manifests = entries.filter(({ type }) => type === "image_pull").map(imagePullManifest);
  const data = Object.fromEntries(generic.map(({ name, value }) => [name, value?.revealBase64() ?? null]));
  return generic.length === 0 && manifests.length > 0
    ? manifests
    : [{ ...manifestHead("flyte-secrets"), type: "Opaque", data }, ...manifests];
}

function imagePullManifest({ name, value }: SecretEntry): object {
  if (!KUBERNETES_NAME.test(name)) {
    throw formatError(`${name} cannot be the name of a Kubernetes Secret; use --format json`);
  }
  return {
    ...manifestHead(name),
    type: DOCKER_CONFIG_TYPE,
    data: { [DOCKER_CONFIG_KEY]: value?.revealBase64() ?? null },
  };
}

function manifestHead(name: string): object {
  return { apiVersion: "v1", kind: "Secret", metadata: { name } };
}

/** What is read of a Secret beside its data. */
export interface SecretHead {
  readonly name?: unknown;
  readonly labels?: Readonly<Record<string, unknown>>;
}

/**
 * The secret that a Secret in Flyte's form holds, its scope with it; undefined for a Secret that isn't named by a data
 * key of its.
 */
export function managedEntry(head: SecretHead, data: ReadonlyMap<string, SecretValue>): SecretEntry | undefined {
  for (const [key, value] of data) {
    const id = decodeId(key);
    if (id === undefined || kubernetesSecretName(id) !== head.name) continue;
    const { name, ...scope } = id;
    const type = head.labels?.[TYPE_LABEL.name] === TYPE_LABEL.imagePull ? "image_pull" : "generic";
    return { name, scope, type, value };
  }
  return undefined;
}

/** The Secret in Flyte's form that {@link managedEntry} reads as the entry, which has its scope. */
export function toManagedManifest({ name, scope, type, value }: SecretEntry): object {
  const form = managedForm({ org: DEFAULT_ORGANIZATION, project: "", domain: "", ...scope, name }, type);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: form.name, labels: form.labels },
    type: "Opaque",
    data: { [form.dataKey]: value?.revealBase64() ?? null },
  };
}

/**
 * Returns the entries without the mirrors of image-pull secrets: such a Secret only shows that the managed Secret
 * beside it is an image-pull secret, which in Flyte's own Secrets nothing else shows.
 */
export function mergeImagePullSecrets(entries: readonly SecretEntry[]): SecretEntry[] {
  const named = new Set(entries.filter(({ type, scope }) => type === "image_pull" && !scope).map(({ name }) => name));
  const twinOf = ({ name, scope }: SecretEntry) => scope && imagePullSecretName({ ...scope, name });
  const twins = new Set(entries.map(twinOf));
  return entries
    .filter(({ name, scope }) => scope || !twins.has(name))
    .map((entry) => (named.has(twinOf(entry) ?? "") ? { ...entry, type: "image_pull" } : entry));
}

function decodeId(key: string): SecretId | undefined {
  try {
    return decodeSecretId(key);
  } catch (error) {
    if (isSecretsError(error, "invalid_argument")) return undefined;
    throw error;
  }
}
