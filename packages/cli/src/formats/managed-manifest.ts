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
import type { SecretEntry } from "./secret-entry.ts";

/** What is read of a Secret beside its data. */
export interface SecretHead {
  readonly name?: unknown;
  readonly labels?: Readonly<Record<string, unknown>>;
}

/** The secret that a Secret in Flyte's form holds, its scope with it; undefined for a Secret that isn't named by a data key of its. */
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
 * The entries without the second Secrets that images are pulled with: each only says that the managed secret beside it is an image-pull
 * secret, which Flyte's own Secrets say nowhere else.
 */
export function joinImagePullTwins(entries: readonly SecretEntry[]): SecretEntry[] {
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
