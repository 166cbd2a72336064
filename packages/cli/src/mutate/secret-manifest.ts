import type { KubernetesSecret } from "@flyte-secrets/inject";
import type { KubernetesObject } from "../manifests/read-manifests.ts";

/** A Secret as the webhook writes it. */
export function toSecretManifest({ name, labels, data }: KubernetesSecret, namespace: string): KubernetesObject {
  const encoded = Object.entries(data).map(([key, value]) => [key, value.revealBase64()]);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, labels },
    type: "Opaque",
    data: Object.fromEntries(encoded),
  };
}
