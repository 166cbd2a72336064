import { createHash } from "node:crypto";
import type { SecretId } from "./secret-id.ts";

const MAX_LABEL_LENGTH = 63;

/** Name of the Kubernetes Secret that holds an image-pull secret beside the managed one. */
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

/** Makes any text a legal, non-empty Kubernetes label value, as Flyte does it. */
export function cleanLabelValue(value: string): string {
  if (value === "") return "none";
  const legal = value.replace(/[^a-zA-Z0-9._-]/gu, "-");
  return legal
    .slice(0, MAX_LABEL_LENGTH)
    .replace(/^[^a-zA-Z0-9]/, "x")
    .replace(/[^a-zA-Z0-9]$/, "x");
}
