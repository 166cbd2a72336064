import type { Config } from "@flyte-secrets/config";
import { type KubeClient, NAMESPACES } from "@flyte-secrets/kube";
import { type Finding, ok, problem } from "../finding.ts";
import type { Part } from "./part.ts";

/** Whether a namespace is there and stays there; `setting` says where it is named. */
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

/** The namespaces that these parts of a configuration work in, each with the setting that names it. */
export function usedNamespaces(parts: readonly Part[], config: Config, namespace: string): Map<string, string> {
  const { store, kubernetes, imagePullNamespace } = config.secret;
  const { embeddedSecretManagerConfig: embedded, writtenSecrets } = config.webhook;
  const used = new Map<string, string>();
  if (parts.includes("webhook")) {
    for (const each of writtenSecrets.namespaces) used.set(each, "webhook.writtenSecrets.namespaces");
    used.set(namespace, "of the webhook");
    if (embedded.type === "K8s") {
      used.set(embedded.k8sConfig.namespace, "webhook.embeddedSecretManagerConfig.k8sConfig.namespace");
    }
  }
  const isMirrored = parts.includes("service") && store.type === "Kubernetes";
  const isCopied = parts.includes("webhook") && embedded.imagePullSecrets.enabled;
  if (isMirrored || isCopied) used.set(imagePullNamespace, "secret.imagePullNamespace");
  if (store.type === "Kubernetes") used.set(kubernetes.namespace, "secret.kubernetes.namespace");
  return used;
}
