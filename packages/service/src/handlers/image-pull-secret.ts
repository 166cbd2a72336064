import { type SecretId, SecretsError, type SecretValue } from "@flyte-secrets/core";

/** Image-pull secrets belong to the organization. Throws `invalid_argument`. */
export function checkImagePullScope(id: SecretId): void {
  if (id.domain === "" && id.project === "") return;
  throw new SecretsError(
    "invalid_argument",
    "image pull secrets are organization-level: project and domain must not be set",
  );
}

/**
 * Checks that a value is what Kubernetes takes as `.dockerconfigjson`: a JSON object, with one object for each registry under
 * `auths`. Throws `invalid_argument` without quoting it.
 */
export function checkDockerConfig(value: SecretValue): void {
  const config = parseJson(value.revealText());
  const auths = isObject(config) ? config.auths : undefined;
  if (isObject(auths) && Object.values(auths).every(isObject)) return;
  throw new SecretsError(
    "invalid_argument",
    'secret_spec.value: an image pull secret must be a .dockerconfigjson: {"auths": {"REGISTRY": {...}}}',
  );
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
