import type { Config } from "@flyte-secrets/config";

/** Whether the webhook writes Secrets for pods: their values, or copies of image-pull Secrets. */
export function writesSecrets({ webhook }: Config): boolean {
  const { delivery, imagePullSecrets } = webhook.embeddedSecretManagerConfig;
  return delivery === "SecretRef" || imagePullSecrets.enabled;
}
