import type { Config } from "@flyte-secrets/config";
import { type KubeClient, NAMESPACES, nextLimit, SECRETS } from "@flyte-secrets/kube";
import { validateManagedSecret } from "@flyte-secrets/store";
import { type Component, type Finding, ok, problem } from "../finding.ts";

/** Whether a namespace exists and is not being deleted; `setting` is where it is configured. */
export async function checkNamespace(client: KubeClient, namespace: string, setting: string): Promise<Finding[]> {
  const found = await client.get(NAMESPACES, { name: namespace });
  if (found === undefined) {
    return [
      problem(
        `namespace ${namespace} (${setting}) does not exist`,
        `kubectl create namespace ${namespace}, or correct ${setting}`,
      ),
    ];
  }
  return found.metadata.deletionTimestamp === undefined
    ? [ok(`namespace ${namespace} is there`)]
    : [problem(`namespace ${namespace} (${setting}) is being deleted`, "wait until it is gone and make it again")];
}

/** The namespaces that these components of a configuration work in, each with the setting that names it. */
export function usedNamespaces(
  components: readonly Component[],
  config: Config,
  namespace: string,
): Map<string, string> {
  const { store, kubernetes, imagePullNamespace } = config.secret;
  const { embeddedSecretManagerConfig: embedded, writtenSecrets } = config.webhook;
  const used = new Map<string, string>();
  if (components.includes("webhook")) {
    for (const each of writtenSecrets.namespaces) used.set(each, "webhook.writtenSecrets.namespaces");
    used.set(namespace, "--namespace");
    if (embedded.type === "K8s") {
      used.set(embedded.k8sConfig.namespace, "webhook.embeddedSecretManagerConfig.k8sConfig.namespace");
    }
  }
  const isMirrored = components.includes("service") && store.type === "Kubernetes";
  const isCopied = components.includes("webhook") && embedded.imagePullSecrets.enabled;
  if (isMirrored || isCopied) used.set(imagePullNamespace, "secret.imagePullNamespace");
  if (store.type === "Kubernetes") used.set(kubernetes.namespace, "secret.kubernetes.namespace");
  return used;
}

const PAGE = 100;
/** Values come with every Secret. */
const MAX_SECRETS = 10_000;
/** Further ones are only counted. */
const MAX_TOLD = 5;

/**
 * Whether the Secrets of a store's namespace that are meant to hold secrets can be found and are listed. Reads the
 * first 10,000.
 */
export async function checkManagedSecrets(client: KubeClient, namespace: string): Promise<Finding[]> {
  const misfits: Finding[] = [];
  let seen = 0;
  let next: string | undefined;
  let limit = PAGE;
  do {
    const page = await client.list(SECRETS, { namespace, limit, continue: next });
    for (const secret of page.items) {
      const misfit = validateManagedSecret(secret);
      if (misfit === undefined) continue;
      misfits.push(problem(`Secret ${secret.metadata.name} in namespace ${namespace}: ${misfit.what}`, misfit.remedy));
    }
    seen += page.items.length;
    next = page.continue;
    limit = nextLimit(page, PAGE);
  } while (next !== undefined && seen < MAX_SECRETS);
  if (misfits.length === 0) return [ok(`the secrets in namespace ${namespace} can be found by their Secrets' names`)];
  const rest = misfits.length - MAX_TOLD;
  return rest > 0
    ? [
        ...misfits.slice(0, MAX_TOLD),
        problem(`${rest} more Secrets in namespace ${namespace} are like these`, "mend these first"),
      ]
    : misfits;
}
