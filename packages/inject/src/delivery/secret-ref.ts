import { createHmac, hash, randomBytes } from "node:crypto";
import type { MaybePromise, SecretValue } from "@flyte-secrets/core";
import { deliveredSecretName } from "@flyte-secrets/core";
import { type InjectorEdit, SECRETS_DIRECTORY, type SecretSource, type ValueSource } from "../managers/injector.ts";
import type { PodEdit } from "../pod/edit.ts";
import type { SecretKeyReference, Volume } from "../pod/pod.ts";
import type { Delivery, SecretToDeliver, WriteOptions } from "./delivery.ts";
import { distinct, FILES_VOLUME, filePath, filesOf, groupVolume, type ReferencedFile, toPlainEdits } from "./files.ts";

/** Readable for every user, because containers may run as any. */
const FILE_MODE = 0o444;

const LABELS = { "app.flyte.org/managed-by": "flyte-secrets-webhook" } as const;

/** Writes the Secrets that pods refer to. */
export interface SecretWriter {
  /**
   * Ensures that all `secrets` exist in `namespace`. An existing one of the same name has the same content, so contents
   * need not be compared. They are deleted with the `owners`, or after a while if no pod uses them. Throws if one can't
   * be written. Returns no promise when all exist already.
   */
  write(namespace: string, secrets: readonly SecretToDeliver[], options: WriteOptions): MaybePromise<void>;
}

export interface SecretRefDeliveryOptions {
  readonly writer: SecretWriter;
  /**
   * The HMAC key of the Secrets' names. Names are visible to everyone who may read pods; without the key, they can't be
   * used to test guesses of a value. Replicas with the same key share Secrets. Random by default.
   */
  readonly namingKey?: Uint8Array;
}

/**
 * Writes each value that a pod needs into a Secret of its own in the pod's namespace. The pod refers to it: by
 * `secretKeyRef` for variables, and by one volume of mode 0444 for files, without an init container. Pods with
 * different combinations of secrets share these Secrets, so there are never more of them than values. A value that
 * exists in the namespace already is referred to where it is (I-29).
 */
export function createSecretRefDelivery({ writer, namingKey = randomBytes(32) }: SecretRefDeliveryOptions): Delivery {
  const secretOf = createSecretFactory(namingKey);
  const reference = (source: SecretSource): SecretKeyReference => {
    if (source.kind === "reference") return source.reference;
    return source.location ?? { name: secretOf(source).name, key: dataKey(source.label) };
  };
  return {
    name: "SecretRef",
    deliver(requested) {
      const files = filesOf(requested).map((file) => ({ file, reference: reference(file.source) }));
      const byGroup = Map.groupBy(files, ({ file }) => file.group?.name);
      // A group's directory would lie inside this read-only mount, so one volume holds the files of all groups.
      const together = files.some(({ file }) => !file.group);
      let isThere = false;
      const filesOnce = () => {
        if (isThere) return [];
        isThere = true;
        return filesVolume(files);
      };

      const edits = toPlainEdits(requested, {
        variable: (variable, source) => ({ name: variable, valueFrom: { secretKeyRef: reference(source) } }),
        files: filesOnce,
        groupFiles: (group) => (together ? filesOnce() : groupVolume(group, byGroup.get(group.name) ?? [])),
      });
      const secrets = new Map(
        valuesToWrite(requested)
          .map(secretOf)
          .map((secret) => [secret.name, secret]),
      );
      return { edits, secrets: [...secrets.values()] };
    },
    write(namespace, secrets, options) {
      if (secrets.length > 0) return writer.write(namespace, secrets, options);
    },
  };
}

function valuesToWrite(requested: readonly (readonly InjectorEdit[])[]): ValueSource[] {
  const sources = requested.flat().flatMap((edit) => ("source" in edit ? [edit.source] : []));
  return sources.filter((source) => source.kind === "value").filter(({ location }) => !location);
}

/** The label where it is a legal data key, otherwise its hash. */
function dataKey(label: string): string {
  const legal = label.length <= 253 && /^[-._a-zA-Z0-9]+$/.test(label);
  return legal ? label : hash("sha256", label);
}

/**
 * Makes the Secret of a value, and caches it for as long as the `SecretValue` is in use. Its name is a keyed hash of
 * its content.
 */
function createSecretFactory(namingKey: Uint8Array): (source: ValueSource) => SecretToDeliver {
  const made = new WeakMap<SecretValue, Map<string, SecretToDeliver>>();
  return ({ value, label }) => {
    const ofValue = made.get(value) ?? new Map<string, SecretToDeliver>();
    const known = ofValue.get(label);
    if (known !== undefined) return known;
    const key = dataKey(label);
    const digest = createHmac("sha256", namingKey).update(`${key}\0`).update(value.revealBytes()).digest("hex");
    const secret = { name: deliveredSecretName(digest.slice(0, 32)), labels: LABELS, data: { [key]: value } };
    made.set(value, ofValue.set(label, secret));
    return secret;
  };
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
