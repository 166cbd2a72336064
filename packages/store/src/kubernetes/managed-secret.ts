import {
  decodeSecretId,
  encodeSecretId,
  isSecretsError,
  kubernetesSecretName,
  type ListRequest,
  MANAGED_LABEL,
  managedForm,
  managedLabels,
  type SecretContent,
  type SecretId,
  type SecretRecord,
  SecretValue,
  type StoredSecretType,
  TYPE_LABEL,
} from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";

/** Set by operators only. */
const SYSTEM_LABEL = "app.flyte.org/system";

/** Selects managed Secrets. */
export const MANAGED_SELECTOR = `${MANAGED_LABEL}=true`;

/** The Kubernetes Secret that holds a secret. */
export function toManagedSecret(id: SecretId, { value, type }: SecretContent, namespace: string): KubeSecret {
  const { name, labels, dataKey } = managedForm(id, type);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, labels },
    data: { [dataKey]: value.revealBase64() },
  };
}

/** The Secret with another value. Its type, and labels and annotations of others, stay as they are. */
export function withValue(secret: KubeSecret, id: SecretId, value: SecretValue): KubeSecret {
  const { metadata } = secret;
  return {
    ...secret,
    metadata: { ...metadata, labels: { ...metadata.labels, ...managedLabels(id) } },
    data: { [encodeSecretId(id)]: value.revealBase64() },
  };
}

/**
 * The id of the secret that a Secret holds, which is its data key; undefined unless the name of the Secret belongs to
 * it.
 */
export function managedId({ metadata, data }: KubeSecret): SecretId | undefined {
  for (const key of Object.keys(data ?? {})) {
    // A foreign Secret may have many keys.
    if (!key.startsWith("u__")) continue;
    try {
      const id = decodeSecretId(key);
      if (kubernetesSecretName(id) === metadata.name) return id;
    } catch (error) {
      if (!isSecretsError(error)) throw error;
    }
  }
  return undefined;
}

/** The value of an id in a Secret; undefined if the Secret does not hold it. */
export function managedValue({ data }: KubeSecret, id: SecretId): SecretValue | undefined {
  const value = data?.[encodeSecretId(id)];
  return value === undefined ? undefined : SecretValue.fromBytes(Buffer.from(value, "base64"));
}

export function isSystem({ metadata }: KubeSecret): boolean {
  return metadata.labels?.[SYSTEM_LABEL] === "true";
}

/** The type of a secret; `generic` for a Secret without our label, such as Flyte's. */
export function typeOf({ metadata }: KubeSecret): StoredSecretType {
  return metadata.labels?.[TYPE_LABEL.name] === TYPE_LABEL.imagePull ? "image_pull" : "generic";
}

/** The record of the secret in a Secret. */
export function toRecord(id: SecretId, secret: KubeSecret, clusterName: string): SecretRecord {
  return {
    id,
    type: typeOf(secret),
    createdAt: new Date(secret.metadata.creationTimestamp ?? 0),
    system: isSystem(secret),
    clusters: [{ cluster: clusterName, presence: "present" }],
  };
}

/** The label selector for a listing. It cannot select the organization, for which there is no label. */
export function listSelector({ scope, includeSystem }: Pick<ListRequest, "scope" | "includeSystem">): string {
  const labels = Object.entries(managedLabels({ ...scope, name: "" })).map(([label, value]) => `${label}=${value}`);
  return [...labels, ...(includeSystem ? [] : [`${SYSTEM_LABEL}!=true`])].join(",");
}
