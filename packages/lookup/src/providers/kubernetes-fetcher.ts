import {
  decodeSecretId,
  encodeSecretId,
  kubernetesSecretName,
  MAX_DATA_KEY_LENGTH,
  SecretValue,
} from "@flyte-secrets/core";
import { readAsEmpty } from "./fetch-failures.ts";
import { type NamedBackend, readEach } from "./named-fetcher.ts";

const NAME = "K8s";

/** What is needed of a Kubernetes client to read Secrets. */
export interface KubernetesSecrets {
  /**
   * The `data` of a Secret: base64 by data key, none for a Secret without. Undefined when there is no such Secret. Throws
   * `SecretsError` for all else (`credentials_refused`, `store_unavailable`).
   */
  readSecret(
    namespace: string,
    name: string,
    options: { readonly signal: AbortSignal },
  ): Promise<Readonly<Record<string, string>> | undefined>;
}

/** Managed Secrets in one namespace: Secret `md5(id)`, data key `id`. */
export function openKubernetes(secrets: KubernetesSecrets, namespace: string): NamedBackend {
  return {
    name: NAME,
    namespace,
    namesOf: (id) => [encodeSecretId(id)].filter((name) => name.length <= MAX_DATA_KEY_LENGTH),
    read: (names, options) =>
      readEach(names, async (name) => {
        const data = await secrets.readSecret(namespace, kubernetesSecretName(decodeSecretId(name)), options);
        if (data === undefined) return undefined;
        const value = data[name];
        if (value === undefined) throw readAsEmpty(NAME, name);
        return SecretValue.fromBytes(Buffer.from(value, "base64"));
      }),
  };
}
