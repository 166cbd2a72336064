import {
  decodeSecretId,
  encodeSecretId,
  kubernetesSecretName,
  MAX_DATA_KEY_LENGTH,
  type SecretFetcher,
  SecretValue,
} from "@flyte-secrets/core";
import { type KubeClient, SECRETS } from "@flyte-secrets/kube";
import { readAsEmpty } from "./fetch-failures.ts";
import { createNamedFetcher, type NamedBackend, readEach } from "./named-fetcher.ts";

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

/** Fetches managed Secrets of a namespace one by one, for single questions: no watch is needed for them. */
export function createNamespaceFetcher(client: Pick<KubeClient, "get">, namespace: string): SecretFetcher {
  const secrets: KubernetesSecrets = {
    async readSecret(namespace, name, options) {
      const secret = await client.get(SECRETS, { namespace, name }, options);
      return secret && (secret.data ?? {});
    },
  };
  return createNamedFetcher(openKubernetes(secrets, namespace));
}
