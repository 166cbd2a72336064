import { join } from "node:path";
import { type Config, createAddressCheck } from "@flyte-secrets/config";
import type { AdmissionOptions, CertificateOptions, WebhookOptions } from "@flyte-secrets/webhook";
import { toLookupOptions } from "./lookup-options.ts";
import { embeddedStoreOptions } from "./store-options.ts";

/** The webhook that a configuration describes. `namespace` is that of this process. */
export function toWebhookOptions(config: Config, namespace: string): WebhookOptions {
  const { secret, webhook, executor, otel } = config;
  const { imagePullSecrets } = webhook.embeddedSecretManagerConfig;
  return {
    namespace,
    admission: toAdmissionOptions(config, namespace),
    values: toValuesOptions(config),
    writer: {
      ...webhook.writtenSecrets,
      namingKeySecret: `${webhook.secretName}-naming`,
      imagePullNamespace: imagePullSecrets.enabled ? secret.imagePullNamespace : undefined,
    },
    endpoints: {
      host: webhook.host,
      listenPort: webhook.listenPort,
      clientCA: webhook.clientCA,
      clientNames: webhook.clientNames,
      allowInlineToEverybody: webhook.allowInlineToEverybody,
      limits: webhook.limits,
      cacheInvalidationPort: webhook.cacheInvalidationPort,
      cacheInvalidationTokenFile: webhook.cacheInvalidationTokenFile,
      cacheInvalidationTokenSecret: webhook.cacheInvalidationTokenSecret,
      isInvalidationPeer:
        webhook.cacheInvalidationPeers.length > 0 ? createAddressCheck(webhook.cacheInvalidationPeers) : undefined,
      healthProbeBindAddress: executor.healthProbeBindAddress,
      metricsBindAddress: executor.metricsBindAddress,
      metricsSecure: executor.metricsSecure,
    },
    certificate: toCertificateOptions(config),
    registration: toRegistrationSettings(config, namespace),
    cluster: config,
    tracing: otel,
  };
}

/** How that webhook decides, which `explain`, `mutate` and `run` foretell. */
export function toAdmissionOptions(config: Config, namespace: string): AdmissionOptions {
  const { secret, webhook, actions } = config;
  const { type, delivery, k8sConfig, fileMountInitContainer, escapeInlineVariables } =
    webhook.embeddedSecretManagerConfig;
  const { secretManagerType, secretManagerTypes, secretName, k8sSecretManager, initContainers } = webhook;
  const sidecar = ({ sidecarImage, resources }: SidecarSettings) => ({
    sidecarImage,
    resources: toResources(resources),
    initContainers,
  });
  const valueNamespaces = [secret.kubernetes.namespace, k8sConfig.namespace];
  return {
    managers: {
      order: secretManagerTypes.length > 0 ? secretManagerTypes : [secretManagerType],
      k8s: { copies: delivery === "SecretRef", optional: k8sSecretManager.optional },
      aws: sidecar(webhook.awsSecretManager),
      gcp: sidecar(webhook.gcpSecretManager),
      azure: sidecar(webhook.azureSecretManager),
      vault: webhook.vaultSecretManager,
      embedded: { hasGroups: type === "AWS" },
    },
    guard: {
      groupBinding: webhook.groupBinding,
      valueNamespaces,
      installationNamespaces: [namespace, actions.kubernetes.namespace, ...valueNamespaces],
      protectedSecrets: [secretName, `${secretName}-*`, ...k8sSecretManager.protectedSecrets],
    },
    global: toGlobalOptions(config),
    scopeBinding: webhook.scopeBinding,
    organization: secret.organization,
    secretEnvVarPrefix: webhook.secretEnvVarPrefix,
    envVarNaming: webhook.secretEnvVarNaming,
    delivery,
    inline: {
      fileMountInitContainer: {
        ...fileMountInitContainer,
        resources: toResources(fileMountInitContainer.resources),
        initContainers,
      },
      escapeVariables: escapeInlineVariables,
    },
    limits: webhook.limits,
    maxBodyBytes: webhook.limits.bodyBytes,
    timeoutMs: webhook.webhookTimeout * 1000,
  };
}

/** Where the Global manager looks: `secrets`. */
export function toGlobalOptions({ secrets }: Config): AdmissionOptions["global"] {
  return { envPrefix: secrets["env-prefix"], directory: secrets["secrets-prefix"] };
}

/** The webhook's certificate. */
export function toCertificateOptions({ webhook, secret }: Config): CertificateOptions {
  const { serviceName, url, certDir, localCert, secretName } = webhook;
  return { serviceName, url, certDir, localCert, secretName, directory: join(secret.store.path, "webhook") };
}

function toValuesOptions(config: Config): WebhookOptions["values"] {
  const { secret, webhook } = config;
  const { type, k8sConfig } = webhook.embeddedSecretManagerConfig;
  const isInStoresNamespace = type === "Store" && secret.store.type === "Kubernetes";
  const ofStore = isInStoresNamespace ? secret.kubernetes.namespace : undefined;
  return {
    provider: type,
    namespace: type === "K8s" ? k8sConfig.namespace : ofStore,
    formerNamespace: secret.kubernetes.formerNamespace,
    lookup: toLookupOptions(config),
    store: embeddedStoreOptions(config),
  };
}

function toRegistrationSettings({ webhook }: Config, namespace: string): WebhookOptions["registration"] {
  if (webhook.disableCreateMutatingWebhookConfig) return undefined;
  const { serviceName: name, servicePort: port, url, webhookTimeout: timeoutSeconds } = webhook;
  const { failurePolicy, namespaceSelector, objectSelector, matchConditions } = webhook;
  const address = url === "" ? { service: { name, namespace, port } } : { url };
  return { name, address, timeoutSeconds, failurePolicy, namespaceSelector, objectSelector, matchConditions };
}

type SidecarSettings = Config["webhook"]["gcpSecretManager"];

/** A container's `resources` as Kubernetes takes them: without what is not set. */
function toResources(
  settings: SidecarSettings["resources"],
): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const lists = Object.entries(settings).map(
    ([name, list]) =>
      [name, Object.fromEntries(Object.entries(list).filter(([, quantity]) => quantity !== ""))] as const,
  );
  return Object.fromEntries(lists.filter(([, list]) => Object.keys(list).length > 0));
}
