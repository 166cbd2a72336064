import { hash } from "node:crypto";
import { isImagePullSecretName } from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";

/** https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets */
export const IMAGE_PULL_TYPE = "kubernetes.io/dockerconfigjson";

/** The label of a copy with the namespace of its source, which has the same name. */
export const COPIED_FROM_LABEL = "app.flyte.org/copied-from";

/** Whether a Secret is an image-pull Secret, by type and name. */
export function isImagePullSecret({ metadata, type }: KubeSecret): boolean {
  return type === IMAGE_PULL_TYPE && isImagePullSecretName(metadata.name);
}

/** A digest that is equal for image-pull Secrets with the same content. */
export function imagePullDigest({ data }: KubeSecret): string {
  return hash("sha256", data?.[".dockerconfigjson"] ?? "");
}
