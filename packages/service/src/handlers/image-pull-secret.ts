import { isObject, parseObject, type SecretId, SecretsError, type SecretValue } from "@flyte-secrets/core";

/** Image-pull secrets belong to the organization. Throws `invalid_argument`. */
export function checkImagePullScope(id: SecretId): void {
  if (id.domain === "" && id.project === "") return;
  throw new SecretsError(
    "invalid_argument",
    "image pull secrets are organization-level: project and domain must not be set",
  );
}

/**
 * Checks that a value is what Kubernetes takes as `.dockerconfigjson`: a JSON object, with one object for each registry
 * under `auths`. Throws `invalid_argument` without quoting it.
 */
export function checkDockerConfig(value: SecretValue): void {
  const auths = parseObject(value.revealText() ?? "")?.auths;
  if (isObject(auths) && Object.values(auths).every(isObject)) return;
  throw new SecretsError(
    "invalid_argument",
    'secret_spec.value: an image pull secret must be a .dockerconfigjson: {"auths": {"REGISTRY": {...}}}',
  );
}
