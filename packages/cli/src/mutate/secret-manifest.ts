import type { KubernetesSecret } from "@flyte-secrets/core";
import type { KubernetesObject } from "../manifests/read-manifests.ts";
import { MASK } from "./masked-values.ts";

/** A Secret as the webhook writes it. A masked value stands as it is where base64 is due: no cluster takes that. */
export function toSecretManifest({ name, labels, data }: KubernetesSecret, namespace: string): KubernetesObject {
  const shown = Object.entries(data).map(([key, value]) => {
    const text = value.revealText();
    return [key, text === MASK ? MASK : value.revealBase64()];
  });
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, labels },
    type: "Opaque",
    data: Object.fromEntries(shown),
  };
}
