import {
  decodeSecretId,
  encodeSecretId,
  kubernetesSecretName,
  MAX_DATA_KEY_LENGTH,
  type SecretFetcher,
  SecretValue,
} from "@flyte-secrets/core";
import { type KubeClient, type KubeSecret, SECRETS } from "@flyte-secrets/kube";
import { readAsEmpty } from "../failures.ts";
import { createProviderFetcher, type ReadOptions, readEach, type SecretProvider } from "../secret-provider.ts";

const NAME = "K8s";

/** Reads a Secret by its name; undefined if there is none. Throws `SecretsError` for every other failure. */
export type ReadSecret = (name: string, options: ReadOptions) => Promise<Pick<KubeSecret, "data"> | undefined>;

/** Managed Secrets in one namespace: Secret `md5(id)`, data key `id`. */
export function createKubernetesProvider(readSecret: ReadSecret, namespace: string): SecretProvider {
  return {
    name: NAME,
    namespace,
    namesOf: (id) => [encodeSecretId(id)].filter((name) => name.length <= MAX_DATA_KEY_LENGTH),
    read: (names, options) =>
      readEach(names, async (name) => {
        const secret = await readSecret(kubernetesSecretName(decodeSecretId(name)), options);
        if (secret === undefined) return undefined;
        const value = secret.data?.[name];
        if (value === undefined) throw readAsEmpty(NAME, name);
        return SecretValue.fromBytes(Buffer.from(value, "base64"));
      }),
  };
}

/** Fetches managed Secrets of a namespace one by one, for single lookups that are not worth a watch. */
export function createNamespaceFetcher(client: Pick<KubeClient, "get">, namespace: string): SecretFetcher {
  const readSecret: ReadSecret = (name, options) => client.get(SECRETS, { namespace, name }, options);
  return createProviderFetcher(createKubernetesProvider(readSecret, namespace));
}
