import { hash } from "node:crypto";
import { isImagePullSecretName } from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";

/** https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets */
export const IMAGE_PULL_TYPE = "kubernetes.io/dockerconfigjson";

/** On a copy: the namespace of the image-pull Secret that it follows, which has the same name. */
export const COPIED_FROM_LABEL = "app.flyte.org/copied-from";

/** By type and name. */
export function isImagePullSecret({ metadata, type }: KubeSecret): boolean {
  return type === IMAGE_PULL_TYPE && isImagePullSecretName(metadata.name);
}

/** The same for two image-pull Secrets of the same content. */
export function imagePullDigest({ data }: KubeSecret): string {
  return hash("sha256", data?.[".dockerconfigjson"] ?? "");
}
