import type { SecretStore } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { systemClock } from "./clock.ts";
import type { Config } from "./config/schema.ts";
import { createKubeClient } from "./kube/kube-client.ts";
import { findKubeConnection } from "./kube/kube-connection.ts";
import { openEmbeddedStore } from "./store/embedded-store.ts";
import { openKubernetesStore } from "./store/kubernetes/kubernetes-store.ts";

/** Where a cluster is looked for. */
export interface StoreSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/** Opens the store that `secret.store` describes; the caller closes it. Throws what opening it throws, `invalid_config` among it. */
export async function openStore(
  { store, kubernetes, imagePullNamespace }: Config["secret"],
  log: Logger,
  surroundings: StoreSurroundings = { env: {}, home: "" },
): Promise<SecretStore> {
  const { clusterName, namespace, kubeconfig, qps, burst, timeout: timeoutMs } = kubernetes;
  switch (store.type) {
    case "Embedded":
      return openEmbeddedStore({
        directory: store.path,
        clusterName,
        log,
        ...(store.masterKey && { masterKey: store.masterKey.revealBytes() }),
      });
    case "Kubernetes": {
      const clock = systemClock;
      const connection = findKubeConnection({ kubeconfig, ...surroundings, clock });
      const client = createKubeClient({ connection, qps, burst, timeoutMs, clock });
      return openKubernetesStore({ client, namespace, imagePullNamespace, clusterName, clock, log });
    }
  }
}
