import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import { defineResource, type KubeClient, SECRETS } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { MANAGED_SELECTOR } from "./managed-secret.ts";

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

export interface FormerNamespaceOptions {
  readonly client: Pick<KubeClient, "list">;
  /** Of the managed Secrets, now. */
  readonly namespace: string;
  /** `secret.kubernetes.formerNamespace`: where they may have been before. Empty: nowhere. */
  readonly former: string;
  readonly log: Logger;
}

/**
 * A check that nobody's secrets were left behind: it throws `store_unavailable`, naming the command that copies them, while `namespace` has
 * no managed Secret and `former` has some. Once it has passed it passes for good, without a call; it passes also where `former` may
 * not be looked at.
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
        "not looked at: where secrets may have been before (secret.kubernetes.formerNamespace)",
      );
      return false;
    }
  };

  return async (signal?: AbortSignal): Promise<void> => {
    if (passed) return;
    if (await isLeftBehind(signal)) {
      throw new SecretsError(
        "store_unavailable",
        `namespace ${namespace} has no managed Secrets and ${former} has some: copy them with \`flyte-secrets copy-secrets --from ${former} ` +
          `--to ${namespace}\`, keep secret.kubernetes.namespace ${former}, or set secret.kubernetes.formerNamespace to "" to begin anew`,
      );
    }
    passed = true;
  };
}
