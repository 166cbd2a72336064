import type { Config } from "@flyte-secrets/config";
import { certificateRights, type NeededRights, sharedKeyRights } from "@flyte-secrets/kube";
import { namingKeySecret } from "./delivery/open-secret-writer.ts";
import { valuesNamespace } from "./values-namespace.ts";
import { writesSecrets } from "./writes-secrets.ts";

export interface WebhookRightsOptions {
  /** That of webhook and service. */
  readonly namespace: string;
  /** Whether the webhook's certificate is its own to keep, and not others', such as cert-manager's. */
  readonly keepsCertificate: boolean;
}

/** The rights without which the webhook of this configuration can't do its work. */
export function webhookRights(config: Config, { namespace, keepsCertificate }: WebhookRightsOptions): NeededRights[] {
  const { secretName, cacheInvalidationTokenFile: file, cacheInvalidationTokenSecret: token } = config.webhook;
  const naming = {
    namespace,
    name: namingKeySecret(config.webhook),
    purpose: "keep the key of the names of the Secrets it writes",
  };
  return [
    ...(keepsCertificate ? certificateRights("webhook", namespace, secretName) : []),
    ...registrationRights(config),
    ...readingRights(config),
    ...(writesSecrets(config)
      ? [...sharedKeyRights("webhook", naming), ...writtenNamespaces(config).flatMap(writingRights)]
      : []),
    ...(token === "" || file !== ""
      ? []
      : sharedKeyRights("webhook", { namespace, name: token, purpose: "keep the token of /invalidate-secret" })),
  ];
}

function registrationRights({ webhook }: Config): NeededRights[] {
  if (webhook.disableCreateMutatingWebhookConfig) return [];
  const { serviceName } = webhook;
  const registering = {
    part: "webhook",
    group: "admissionregistration.k8s.io",
    resource: "mutatingwebhookconfigurations",
    purpose: "register itself",
  } as const;
  return [
    { ...registering, verbs: ["create"], makes: serviceName },
    { ...registering, verbs: ["list", "watch", "update"], name: serviceName },
  ];
}

function readingRights(config: Config): NeededRights[] {
  const { mode, namespaceLabels } = config.webhook.scopeBinding;
  const following = { part: "webhook", group: "", verbs: ["get", "list", "watch"] } as const;
  const [values, images] = [valuesNamespace(config), imagePullNamespace(config)];
  const secrets = { ...following, resource: "secrets" };
  return [
    ...(values === undefined ? [] : [{ ...secrets, namespace: values, purpose: "read the secrets" }]),
    ...(images === undefined || images === values
      ? []
      : [{ ...secrets, namespace: images, purpose: "read image-pull secrets" }]),
    ...(namespaceLabels && mode !== "off"
      ? [{ ...following, resource: "namespaces", purpose: "follow the labels that say what their pods may claim" }]
      : []),
  ];
}

/** Where it writes; `undefined` for everywhere. Pods refer to what lies in their own namespace. */
function writtenNamespaces(config: Config): (string | undefined)[] {
  const { writtenSecrets, embeddedSecretManagerConfig } = config.webhook;
  const [values, images] = [valuesNamespace(config), imagePullNamespace(config)];
  if (writtenSecrets.namespaces.length === 0) return [undefined];
  return writtenSecrets.namespaces.filter(
    (each) =>
      (embeddedSecretManagerConfig.delivery === "SecretRef" && each !== values) ||
      (images !== undefined && each !== images),
  );
}

/** Where image-pull Secrets are copied from; undefined where none are. */
function imagePullNamespace({ secret, webhook }: Config): string | undefined {
  return webhook.embeddedSecretManagerConfig.imagePullSecrets.enabled ? secret.imagePullNamespace : undefined;
}

function writingRights(namespace: string | undefined): NeededRights[] {
  const written = {
    part: "webhook",
    group: "",
    namespace,
    isWriters: true,
    purpose: "write the Secrets of pods",
  } as const;
  return [
    { ...written, resource: "secrets", verbs: ["create", "get", "list", "watch", "patch", "delete"] },
    { ...written, resource: "pods", verbs: ["list"], purpose: "see which of the Secrets it wrote are in use" },
  ];
}
