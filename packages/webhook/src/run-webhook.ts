import type { CertificateSource } from "@flyte-secrets/certificates";
import type { Config } from "@flyte-secrets/config";
import { podNamespace } from "@flyte-secrets/config";
import { closeOnce, SecretsError, systemClock } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { connectCluster, createKubeMetrics } from "@flyte-secrets/kube";
import { createFormerPlaceCheck } from "@flyte-secrets/store";
import type { Logger } from "pino";
import { Registry } from "prom-client";
import { createLostBinding } from "./binding/lost-binding.ts";
import { type FollowedNamespaceLabels, followNamespaceLabels } from "./binding/namespace-labels.ts";
import { openCertificates } from "./certificates/open-certificates.ts";
import {
  type OpenedSecretWriter,
  type OpenSecretWriterOptions,
  openSecretWriter,
} from "./delivery/open-secret-writer.ts";
import type { ReadinessCheck } from "./endpoints/probes.ts";
import { keepRegistration } from "./registration/registration.ts";
import type { WebhookAddress } from "./registration/webhook-configuration.ts";
import { type RunningWebhook, type StartWebhookOptions, startWebhook } from "./start-webhook.ts";
import { sharedNamespace, valuesNamespace } from "./values-namespace.ts";
import { writesSecrets } from "./writes-secrets.ts";

export interface RunWebhookOptions extends Pick<StartWebhookOptions, "log" | "env" | "registry" | "onInvalidate"> {
  /** Where a kubeconfig starts to look from. */
  readonly home: string;
}

/**
 * Runs the pod webhook with all that belongs to it: the certificate, and in a cluster its registration and the Secrets it writes. Otherwise as
 * {@link startWebhook}; `close` ends all of it.
 */
export async function runWebhook(config: Config, { home, ...options }: RunWebhookOptions): Promise<RunningWebhook> {
  const { log, env } = options;
  const clock = systemClock;
  await using opened = new AsyncDisposableStack();
  const registry = options.registry ?? new Registry();
  const client = connectCluster(config, { env, home, clock, observe: createKubeMetrics(registry) });
  if (client) opened.defer(() => client.close());
  const namespace = podNamespace({ env, configured: config.actions.kubernetes.namespace });
  const certificates = await openCertificates(config, { client, namespace, clock, log });
  opened.defer(() => certificates.close());
  const registration = client && register({ config, client, namespace, certificates, log });
  if (registration) opened.defer(() => registration.close());

  const namespaceLabels = followLabels(config, client, log);
  if (namespaceLabels) opened.defer(() => namespaceLabels.close());
  const shared = client && sharedNamespace(config);
  if (shared !== undefined) {
    log.warn(
      { namespace: shared },
      "pods and values share a namespace: there labels alone decide who gets which secret, and pods that name Secrets by themselves are " +
        "held back by the chart's guard alone",
    );
  }

  const hasLostBinding = createLostBinding(config.webhook.scopeBinding, namespaceLabels);
  const writer = await openWriter(config, client && { client, namespace, hasLostBinding, registry, clock, log });
  if (writer) opened.defer(() => writer.close());

  const webhook = await startWebhook(config, {
    ...options,
    registry,
    certificates,
    ...(writer && { writer: writer.writer, namingKey: writer.namingKey }),
    ...(writer?.imagePull && { imagePull: writer.imagePull }),
    ...(client && { kube: client }),
    ...(namespaceLabels && { namespaceLabels }),
    readiness: [
      ...(registration ? [() => assertRegistered(registration.missing())] : []),
      ...(namespaceLabels ? [namespaceLabels.ready] : []),
      ...(client ? formerPlaceChecks(config, client, log) : []),
    ],
  });
  const running = opened.move();
  return {
    ...webhook,
    close: closeOnce(async (options) => {
      await webhook.close(options);
      await running.disposeAsync();
    }),
  };
}

/** Where they decide about claims. */
function followLabels(
  { webhook }: Config,
  client: KubeClient | undefined,
  log: Logger,
): FollowedNamespaceLabels | undefined {
  const { mode, namespaceLabels } = webhook.scopeBinding;
  if (!namespaceLabels || mode === "off") return undefined;
  if (client) return followNamespaceLabels({ client, clock: systemClock, log });
  throw new SecretsError(
    "invalid_config",
    "webhook.scopeBinding.namespaceLabels reads the labels of namespaces in a cluster, and there is none here: set it to false, or secret.kubernetes.kubeconfig",
  );
}

/** Where values are managed Secrets, that none were left in another place. */
function formerPlaceChecks(config: Config, client: KubeClient, log: Logger): ReadinessCheck[] {
  const namespace = valuesNamespace(config);
  if (namespace === undefined) return [];
  const check = createFormerPlaceCheck({ client, namespace, former: config.secret.kubernetes.formerNamespace, log });
  return [() => check()];
}

/** Where there is something to write; a delivery SecretRef without a cluster is refused later on. */
async function openWriter(
  config: Config,
  options: OpenSecretWriterOptions | undefined,
): Promise<OpenedSecretWriter | undefined> {
  const { imagePullSecrets } = config.webhook.embeddedSecretManagerConfig;
  if (imagePullSecrets.enabled && options === undefined) {
    throw new SecretsError(
      "invalid_config",
      "webhook.embeddedSecretManagerConfig.imagePullSecrets.enabled copies Secrets in a cluster, and there is none here: set it to false, or secret.kubernetes.kubeconfig",
    );
  }
  return options && writesSecrets(config) ? await openSecretWriter(config, options) : undefined;
}

interface Registrable {
  readonly config: Config;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly certificates: CertificateSource;
  readonly log: Logger;
}

function register({ config, client, namespace, certificates, log }: Registrable) {
  const { serviceName: name, servicePort: port, url, webhookTimeout, ...webhook } = config.webhook;
  if (webhook.disableCreateMutatingWebhookConfig) return undefined;
  const address: WebhookAddress = url === "" ? { service: { name, namespace, port } } : { url };
  const { failurePolicy, namespaceSelector, objectSelector, matchConditions } = webhook;
  const matching = { namespaceSelector, objectSelector, matchConditions };
  const settings = { name, address, timeoutSeconds: webhookTimeout, failurePolicy, ...matching };
  return keepRegistration({ client, settings, certificates, clock: systemClock, log });
}

function assertRegistered(missing: string | undefined): void {
  if (missing !== undefined) throw new SecretsError("store_unavailable", missing);
}
