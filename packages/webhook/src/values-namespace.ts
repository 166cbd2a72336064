import type { Config } from "@flyte-secrets/config";

/** The namespace of the managed Secrets that the webhook reads values from; undefined where values aren't in Secrets. */
export function valuesNamespace({ secret, webhook }: Config): string | undefined {
  const { type, k8sConfig } = webhook.embeddedSecretManagerConfig;
  if (type === "K8s") return k8sConfig.namespace;
  return type === "Store" && secret.store.type === "Kubernetes" ? secret.kubernetes.namespace : undefined;
}

/**
 * The namespace of the values where pods of several projects are in it too: labels alone decide there who gets which, and a pod that names
 * a Secret by itself never reaches the webhook. Undefined where values have a namespace of their own.
 */
export function sharedNamespace(config: Config): string | undefined {
  const { scopeBinding, writtenSecrets } = config.webhook;
  const { mode, trustedNamespaces, namespaces } = scopeBinding;
  const values = valuesNamespace(config);
  const ofPods = [...trustedNamespaces, ...Object.keys(namespaces), ...writtenSecrets.namespaces];
  return values !== undefined && (mode === "off" || ofPods.includes(values)) ? values : undefined;
}
