import { createHash, hash } from "node:crypto";
import { encodeSecretId, type SecretId } from "./secret-id.ts";
import type { StoredSecretType } from "./store.ts";

/**
 * Name of the Kubernetes Secret that holds a secret: the MD5 of the encoded id in hex, because a name has to be
 * DNS-compatible. The one data key inside is the encoded id itself (N-9).
 */
export function kubernetesSecretName(id: SecretId): string {
  // Flyte's choice. It only makes a name; no security depends on it.
  return hash("md5", encodeSecretId(id));
}

/**
 * Our own label of image-pull secrets, for which Flyte has no field. Generic secrets don't have it, and so are exactly
 * as Flyte writes them.
 */
export const TYPE_LABEL = { name: "app.flyte.org/secret-type", imagePull: "image-pull-secret" } as const;

/** Labels by which managed Secrets are selected (N-10). */
export const MANAGED_LABEL = "app.flyte.org/managed";
export const DOMAIN_LABEL = "app.flyte.org/domain";
export const PROJECT_LABEL = "app.flyte.org/project";

/** Labels of the Kubernetes Secret that holds a secret; domain and project where set (N-10). */
export function managedLabels(id: SecretId): Record<string, string> {
  return {
    [MANAGED_LABEL]: "true",
    ...(id.domain !== "" && { [DOMAIN_LABEL]: id.domain }),
    ...(id.project !== "" && { [PROJECT_LABEL]: id.project }),
  };
}

/** The maximum length of a data key of a Kubernetes Secret. */
export const MAX_DATA_KEY_LENGTH = 253;

/** The name, labels and data key of the Kubernetes Secret that holds a secret. */
export interface ManagedForm {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The key of `data` whose value is the secret's. */
  readonly dataKey: string;
}

/** The form of the Kubernetes Secret for a secret, whichever program writes it. */
export function managedForm(id: SecretId, type: StoredSecretType): ManagedForm {
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

/** Whether a Secret's name is one that the webhook gives to the Secrets that it writes for pods. */
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

/** Whether a name has the form of {@link imagePullSecretName}. */
export function isImagePullSecretName(name: string): boolean {
  return /^img-pull-[0-9a-f]{16}$/.test(name);
}

/**
 * Labels of that Kubernetes Secret. They are for searching: cleaning loses information, so two secrets may have the
 * same.
 */
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
