import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import { defineResource, type KubeClient, SECRETS } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { MANAGED_SELECTOR } from "./managed-secret.ts";

const NAMESPACES = defineResource({ apiVersion: "v1", kind: "Namespace", plural: "namespaces" });

/**
 * Creates a namespace if it is missing. Without the permission to read namespaces it may still be usable, so that is no
 * error: the first write shows it.
 * @throws SecretsError `credentials_refused`, naming the missing permission to create it; what the API server's client
 * throws.
 */
export async function ensureNamespace(
  client: Pick<KubeClient, "get" | "create">,
  namespace: string,
  log: Logger,
): Promise<void> {
  try {
    // For authorization a namespace is inside itself: a Role in it can grant this.
    if ((await client.get(NAMESPACES, { name: namespace })) !== undefined) return;
  } catch (error) {
    if (!isSecretsError(error, "credentials_refused")) throw error;
    log.debug({ err: error, namespace }, "cannot check whether the namespace exists");
    return;
  }
  try {
    await client.create(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    log.info({ namespace }, "created the namespace of the secrets");
  } catch (error) {
    if (isSecretsError(error, "already_exists")) return;
    if (!isSecretsError(error, "credentials_refused")) throw error;
    throw new SecretsError(
      "credentials_refused",
      `namespace ${namespace} (secret.kubernetes.namespace) does not exist, and we have no permission to create ` +
        "namespaces. " +
        "Create it, or grant that.",
      { cause: error },
    );
  }
}

export interface FormerNamespaceOptions {
  readonly client: Pick<KubeClient, "list">;
  /** The present namespace of the managed Secrets. */
  readonly namespace: string;
  /** The namespace where they may have been before (`secret.kubernetes.formerNamespace`); empty for none. */
  readonly former: string;
  readonly log: Logger;
}

/**
 * Creates a check that no secrets were left in the former namespace: it throws `store_unavailable`, naming the command
 * that copies them, while `namespace` has no managed Secret and `former` has some. Once it has passed, it makes no more
 * calls. It also passes if there is no permission to list Secrets in `former`.
 */
export function createFormerNamespaceCheck({ client, namespace, former, log }: FormerNamespaceOptions) {
  let passed = former === "" || former === namespace;

  const hasManaged = async (place: string, signal: AbortSignal | undefined) => {
    const query = { namespace: place, labelSelector: MANAGED_SELECTOR, limit: 1 };
    return (await client.list(SECRETS, query, { signal })).items.length > 0;
  };
  const isLeftBehind = async (signal: AbortSignal | undefined) => {
    if (await hasManaged(namespace, signal)) return false;
    try {
      return await hasManaged(former, signal);
    } catch (error) {
      if (!isSecretsError(error, "credentials_refused")) throw error;
      log.info(
        { err: error, former },
        "no permission to check the former namespace for secrets (secret.kubernetes.formerNamespace)",
      );
      return false;
    }
  };

  return async (signal?: AbortSignal): Promise<void> => {
    if (passed) return;
    if (await isLeftBehind(signal)) {
      throw new SecretsError(
        "store_unavailable",
        `namespace ${namespace} has no managed Secrets and ${former} has some: ` +
          `copy them with \`flyte-secrets copy-secrets --from ${former} ` +
          `--to ${namespace}\`, keep secret.kubernetes.namespace ${former}, or set secret.kubernetes.formerNamespace ` +
          `to "" to begin anew`,
      );
    }
    passed = true;
  };
}
