import type { Config } from "@flyte-secrets/config";
import type { EmbeddedStoreOptions, StoreOptions } from "@flyte-secrets/store";

/** The options of the store that `secret.store` describes. */
export function toStoreOptions({ secret }: Pick<Config, "secret">): StoreOptions {
  const { store, kubernetes, imagePullNamespace } = secret;
  switch (store.type) {
    case "Embedded":
      return { type: "Embedded", ...embeddedStoreOptions({ secret }) };
    case "Kubernetes": {
      const { clusterName, kubeconfig, otherClusters, namespace, formerNamespace, consistency, qps, burst } =
        kubernetes;
      const others = Object.entries(otherClusters).map(([name, file]) => ({ name, kubeconfig: file }));
      return {
        type: "Kubernetes",
        clusters: [{ name: clusterName, kubeconfig }, ...others],
        namespace,
        formerNamespace,
        imagePullNamespace,
        consistency,
        qps,
        burst,
        timeoutMs: kubernetes.timeout,
      };
    }
  }
}

/** The options of the store on this machine, whichever store the configuration names. */
export function embeddedStoreOptions({ secret: { store, kubernetes } }: Pick<Config, "secret">): EmbeddedStoreOptions {
  return {
    directory: store.path,
    clusterName: kubernetes.clusterName,
    ...(store.masterKey && { masterKey: store.masterKey.revealBytes() }),
  };
}
