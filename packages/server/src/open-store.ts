import { type SecretStore, SecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";
import type { Config } from "./config/schema.ts";
import { openEmbeddedStore } from "./store/embedded-store.ts";

/** Opens the store that `secret.store` describes; the caller closes it. */
export async function openStore({ store, kubernetes }: Config["secret"], log: Logger): Promise<SecretStore> {
  switch (store.type) {
    case "Embedded":
      return openEmbeddedStore({
        directory: store.path,
        clusterName: kubernetes.clusterName,
        log,
        ...(store.masterKey && { masterKey: store.masterKey.revealBytes() }),
      });
    case "Kubernetes":
      throw new SecretsError(
        "invalid_config",
        "secret.store.type Kubernetes (the default inside a cluster) is not in this version; set secret.store.type to Embedded",
      );
  }
}
