import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { defineResource } from "@flyte-secrets/kube";
import type { Logger } from "pino";

const NAMESPACES = defineResource({ apiVersion: "v1", kind: "Namespace", plural: "namespaces" });

/**
 * Makes a namespace where it is missing. Who may not look whether it is there may still use it, so that is no error: writes tell.
 * @throws SecretsError `credentials_refused`, naming the permission to make it; what the API server's client throws.
 */
export async function ensureNamespace(
  client: Pick<KubeClient, "get" | "create">,
  namespace: string,
  log: Logger,
): Promise<void> {
  try {
    // Its own namespace, as authorization sees it: a Role in it can grant this.
    if ((await client.get(NAMESPACES, { name: namespace })) !== undefined) return;
  } catch (error) {
    if (!isSecretsError(error, "credentials_refused")) throw error;
    log.debug({ err: error, namespace }, "cannot look whether the namespace exists");
    return;
  }
  try {
    await client.create(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    log.info({ namespace }, "made the namespace of the secrets");
  } catch (error) {
    if (isSecretsError(error, "already_exists")) return;
    if (!isSecretsError(error, "credentials_refused")) throw error;
    throw new SecretsError(
      "credentials_refused",
      `namespace ${namespace} (secret.kubernetes.namespace) does not exist, and we have no permission to create namespaces. Create it, or grant that.`,
      { cause: error },
    );
  }
}
