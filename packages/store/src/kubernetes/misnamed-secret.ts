import {
  decodeSecretId,
  excerpt,
  isDeliveredSecretName,
  isSecretsError,
  kubernetesSecretName,
  managedForm,
  quote,
} from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";
import { managedId } from "./managed-secret.ts";

/** Limit of data keys that are examined in one Secret; a Secret that is created by hand has one. */
const MAX_KEYS = 64;

/** What is wrong with a Secret that should hold a secret, and how to correct it. */
export interface ManagedSecretProblem {
  readonly what: string;
  readonly remedy: string;
}

/**
 * The data keys of a Secret that are encoded ids, each with the name that its Secret must have. Examines the first 64
 * keys only.
 */
export function namesByDataKey({ data = {} }: KubeSecret): Map<string, string> {
  const names = new Map<string, string>();
  for (const key of Object.keys(data).slice(0, MAX_KEYS)) {
    // Most Secrets have no such key.
    if (!key.startsWith("u__")) continue;
    try {
      names.set(key, kubernetesSecretName(decodeSecretId(key)));
    } catch (error) {
      if (!isSecretsError(error)) throw error;
    }
  }
  return names;
}

/** Why a Secret holds no secret ({@link managedId}), without its values. */
export function describeMisnamed(secret: KubeSecret): ManagedSecretProblem {
  const [wanted] = namesByDataKey(secret);
  if (wanted !== undefined) {
    const [key, name] = wanted;
    return { what: `its data key ${excerpt(key)} belongs into a Secret named ${name}`, remedy: `name it ${name}` };
  }
  const keys = Object.keys(secret.data ?? {});
  const [first] = keys;
  const others = keys.length > 1 ? ` and ${keys.length - 1} more` : "";
  return {
    what:
      first === undefined
        ? "it has no data"
        : `its data key${keys.length > 1 ? "s" : ""} ${quote(first)}${others} ${keys.length > 1 ? "are" : "is"} no ` +
          "encoded id",
    remedy: "flyte-secrets name KEY -p PROJECT -d DOMAIN prints the name and the data key that it needs",
  };
}

/**
 * Validates a Secret that should hold a secret according to its name, labels or data keys: it must hold one, and have
 * the labels by which it is listed. Undefined if it is valid, and for any other Secret.
 */
export function validateManagedSecret(secret: KubeSecret): ManagedSecretProblem | undefined {
  const { name, labels = {} } = secret.metadata;
  if (isDeliveredSecretName(name)) return undefined;
  const id = managedId(secret);
  if (id === undefined) {
    const isMeant = labels["app.flyte.org/managed"] === "true" || namesByDataKey(secret).size > 0;
    return isMeant ? describeMisnamed(secret) : undefined;
  }
  const wrong = Object.entries(managedForm(id, "generic").labels).filter(([label, value]) => labels[label] !== value);
  if (wrong.length === 0) return undefined;
  const wanted = wrong.map(([label, value]) => `${label}=${value}`).join(" ");
  return { what: "it is found by its name, but not listed, for want of labels", remedy: `label it ${wanted}` };
}
