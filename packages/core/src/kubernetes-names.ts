import { createHash } from "node:crypto";
import { encodeSecretId, type SecretId } from "./secret-id.ts";
import type { SecretType } from "./store.ts";

/**
 * Name of the Kubernetes Secret that holds a secret: the MD5 of the encoded id in hex, because a name has to be
 * DNS-compatible. The one data key inside is the encoded id itself (N-9).
 */
export function kubernetesSecretName(id: SecretId): string {
  // Flyte's choice; here it makes a name and protects nothing.
  return createHash("md5").update(encodeSecretId(id)).digest("hex");
}

/** Ours, with this value on image-pull secrets only: Flyte has no place for the type, and a generic secret stays exactly as Flyte writes it. */
export const TYPE_LABEL = { name: "app.flyte.org/secret-type", imagePull: "image-pull-secret" } as const;

/** Labels of the Kubernetes Secret that holds a secret; domain and project where set (N-10). */
export function managedLabels(id: SecretId): Record<string, string> {
  return {
    "app.flyte.org/managed": "true",
    ...(id.domain !== "" && { "app.flyte.org/domain": id.domain }),
    ...(id.project !== "" && { "app.flyte.org/project": id.project }),
  };
}

/** The most characters of a data key of a Kubernetes Secret. */
export const MAX_DATA_KEY_LENGTH = 253;

/** What a Kubernetes Secret is found by as the secret of an id. */
export interface ManagedForm {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The key of `data` whose value is the secret's. */
  readonly dataKey: string;
}

/** The form of the Kubernetes Secret that holds a secret, whoever makes it. */
export function managedForm(id: SecretId, type: SecretType): ManagedForm {
  return {
    name: kubernetesSecretName(id),
    labels: { ...managedLabels(id), ...(type === "image_pull" && { [TYPE_LABEL.name]: TYPE_LABEL.imagePull }) },
    dataKey: encodeSecretId(id),
  };
}

const WRITTEN_SECRET_PREFIX = "flyte-secrets-";
const WRITTEN_SECRET_NAME = /^flyte-secrets-[0-9a-f]{32}$/;

/** The name of a Secret that the webhook writes; `digest` is 16 bytes in hex. */
export function deliveredSecretName(digest: string): string {
  return WRITTEN_SECRET_PREFIX + digest;
}

/** Whether a Secret was written by the webhook, by its name. */
export function isDeliveredSecretName(name: string): boolean {
  return WRITTEN_SECRET_NAME.test(name);
}

/** Where Kubernetes mounts the credentials of a pod's service account. */
export const SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";

const MAX_LABEL_LENGTH = 63;

/** Name of the Kubernetes Secret that holds an image-pull secret beside the managed one (N-11). */
export function imagePullSecretName(id: SecretId): string {
  const digest = createHash("sha256").update(`${id.org}:${id.domain}:${id.project}:${id.name}`).digest("hex");
  return `img-pull-${digest.slice(0, 16)}`;
}

/** Whether a Secret is called as {@link imagePullSecretName} calls them. */
export function isImagePullSecretName(name: string): boolean {
  return /^img-pull-[0-9a-f]{16}$/.test(name);
}

/** Labels of that Kubernetes Secret. Cleaning loses information: they serve to search, not to tell secrets apart. */
export function imagePullLabels(id: SecretId): Record<string, string> {
  return {
    "union.ai/secret-type": "image-pull-secret",
    "union.ai/org": cleanLabelValue(id.org),
    "union.ai/project": cleanLabelValue(id.project),
    "union.ai/domain": cleanLabelValue(id.domain),
    "union.ai/secret-name": cleanLabelValue(id.name),
  };
}

/** Makes any text a legal, non-empty Kubernetes label value, as Flyte does it (N-12). */
export function cleanLabelValue(value: string): string {
  if (value === "") return "none";
  const legal = value.replace(/[^a-zA-Z0-9._-]/gu, "-");
  return legal
    .slice(0, MAX_LABEL_LENGTH)
    .replace(/^[^a-zA-Z0-9]/, "x")
    .replace(/[^a-zA-Z0-9]$/, "x");
}
