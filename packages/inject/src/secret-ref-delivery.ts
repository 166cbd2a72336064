import { createHmac, hash, randomBytes } from "node:crypto";
import {
  type Awaitable,
  type Delivery,
  type KubernetesSecret,
  type PodEdit,
  SECRETS_DIRECTORY,
  type SecretKeyReference,
  type SecretSource,
  type SecretValue,
  type Volume,
  type WriteOptions,
  writtenSecretName,
} from "@flyte-secrets/core";
import {
  distinct,
  FILES_VOLUME,
  filePath,
  filesOf,
  groupVolume,
  type ReferencedFile,
  toPlainEdits,
} from "./secret-files.ts";

/** Every container may read a file, whichever user it runs as. */
const FILE_MODE = 0o444;

/** Writes the Secrets that pods refer to. */
export interface SecretWriter {
  /**
   * Makes sure that `secret` is in `namespace` when it returns; one of that name has that content, so that nothing needs to
   * be compared. It goes away with the `owners`, or after a while if no pod came to use it. Throws if it can't be written.
   */
  write(namespace: string, secret: KubernetesSecret, options: WriteOptions): Awaitable<void>;
}

export interface SecretRefDeliveryOptions {
  readonly writer: SecretWriter;
  /**
   * Makes the names of Secrets, which everyone sees who may read pods, useless for trying values out: without the key, a
   * name says nothing about its content. Replicas that have the same key share Secrets. Random by default.
   */
  readonly namingKey?: Uint8Array;
}

/**
 * Puts the values that a pod needs into one Secret in the pod's namespace, to which the pod only refers: `secretKeyRef` for
 * variables, a volume of mode 0444 for files, no init container. A value that lies there already is referred to where it is.
 */
export function createSecretRefDelivery({ writer, namingKey = randomBytes(32) }: SecretRefDeliveryOptions): Delivery {
  const digestOf = createDigest(namingKey);
  return {
    name: "SecretRef",
    deliver(requested) {
      const data = valuesToWrite(requested.flat().flatMap((edit) => ("source" in edit ? [edit.source] : [])));
      const name = secretName(data, digestOf);
      const reference = (source: SecretSource) => referenceTo(source, name);
      const files = filesOf(requested).map((file) => ({ file, reference: reference(file.source) }));
      // Where a group's directory would be inside the read-only mount, one volume carries them all.
      const together = files.some(({ file }) => !file.group);

      const edits = toPlainEdits(requested, {
        variable: (variable, source) => ({ name: variable, valueFrom: { secretKeyRef: reference(source) } }),
        files: () => filesVolume(files),
        groupFiles: (group) =>
          together
            ? filesVolume(files)
            : groupVolume(
                group,
                files.filter(({ file }) => file.group?.name === group.name),
              ),
      });
      const labels = { "app.flyte.org/managed-by": "flyte-secrets-webhook" };
      return { edits, secrets: data.size === 0 ? [] : [{ name, labels, data: Object.fromEntries(data) }] };
    },
    write(namespace, secrets, options) {
      // A pod has one at the most.
      const [secret] = secrets;
      if (secret) return writer.write(namespace, secret, options);
    },
  };
}

function valuesToWrite(sources: readonly SecretSource[]): Map<string, SecretValue> {
  const data = new Map<string, SecretValue>();
  for (const source of sources) {
    if (source.kind === "value" && !source.location) data.set(dataKey(source.label), source.value);
  }
  return data;
}

function referenceTo(source: SecretSource, writtenName: string): SecretKeyReference {
  if (source.kind === "reference") return source.reference;
  return source.location ?? { name: writtenName, key: dataKey(source.label) };
}

/** A label as it is where Kubernetes takes it as a data key, else its hash. */
function dataKey(label: string): string {
  const legal = label.length <= 253 && /^[-._a-zA-Z0-9]+$/.test(label);
  return legal ? label : hash("sha256", label);
}

/** The keyed hash of a value, worked out once: a cache hands out the same `SecretValue` again and again. */
function createDigest(key: Uint8Array): (value: SecretValue) => string {
  const digests = new WeakMap<SecretValue, string>();
  return (value) => {
    const known = digests.get(value);
    if (known !== undefined) return known;
    const digest = createHmac("sha256", key).update(value.revealBytes()).digest("hex");
    digests.set(value, digest);
    return digest;
  };
}

function secretName(data: ReadonlyMap<string, SecretValue>, digestOf: (value: SecretValue) => string): string {
  const content = [...data].map(([key, value]) => `${key} ${digestOf(value)}\n`).sort();
  return writtenSecretName(hash("sha256", content.join("")).slice(0, 32));
}

function filesVolume(files: readonly ReferencedFile[]): PodEdit[] {
  const bySecret = Map.groupBy(files, ({ reference }) => `${reference.name}/${reference.optional ?? false}`);
  const sources = [...bySecret.values()].map((group) => {
    const { name = "", optional } = group[0]?.reference ?? {};
    const items = distinct(group.map(({ file, reference }) => ({ key: reference.key, path: filePath(file) })));
    return { name, items, ...(optional !== undefined && { optional }) };
  });
  return [
    { kind: "volume", volume: toVolume(sources) },
    { kind: "mount", mount: { name: FILES_VOLUME, mountPath: SECRETS_DIRECTORY, readOnly: true } },
  ];
}

type SourceSecret = { name: string; items: { key: string; path: string }[]; optional?: boolean };

function toVolume(secrets: readonly SourceSecret[]): Volume {
  const [first] = secrets;
  if (first && secrets.length === 1) {
    const { name: secretName, ...rest } = first;
    return { name: FILES_VOLUME, secret: { secretName, ...rest, defaultMode: FILE_MODE } };
  }
  const sources = secrets.map((secret) => ({ secret }));
  return { name: FILES_VOLUME, projected: { sources, defaultMode: FILE_MODE } };
}
