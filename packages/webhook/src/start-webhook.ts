import type { CertificateSource } from "@flyte-secrets/certificates";
import { addCertificateExpiry } from "@flyte-secrets/certificates";
import type { Config } from "@flyte-secrets/config";
import { podNamespace } from "@flyte-secrets/config";
import { closeOnce, type SecretId, SecretsError, systemClock } from "@flyte-secrets/core";
import { addProcessMetrics, isLoopback, openTracing } from "@flyte-secrets/http";
import type { ImagePullSecrets, SecretWriter } from "@flyte-secrets/inject";
import type { KubeClient } from "@flyte-secrets/kube";
import { openInvalidationToken } from "@flyte-secrets/kube";
import { openLookup } from "@flyte-secrets/lookup";
import { openEmbeddedStore } from "@flyte-secrets/store";
import type { Logger } from "pino";
import { Registry } from "prom-client";
import { createAdmissionTracing } from "./admission/admission-tracing.ts";
import { createAdmission } from "./admission/create-admission.ts";
import { globalSecrets } from "./admission/global-secrets.ts";
import { createRefusedClaims } from "./admission/refused-claims.ts";
import { createWebhook } from "./admission/webhook.ts";
import { createNamespaceNames } from "./binding/bound-namespaces.ts";
import type { NamespaceLabels } from "./binding/namespace-labels.ts";
import { readClientCertificates } from "./endpoints/client-certificates.ts";
import type { ReadinessCheck } from "./endpoints/probes.ts";
import { type ServedWebhook, serveWebhook } from "./endpoints/serve-webhook.ts";
import { embeddedStoreOptions, lookupOptions } from "./lookup-options.ts";
import { createWebhookMetrics } from "./webhook-metrics.ts";

/** How long clients get to notice that the webhook is going, and requests under way to finish; Kubernetes kills after 30 s. */
const GRACE_MS = 5_000;
const FINISH_MS = 20_000;

export interface StartWebhookOptions {
  readonly log: Logger;
  /** The environment in which the Global manager looks. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What is served with. It stays the caller's to close. */
  readonly certificates: CertificateSource;
  /** Writes the Secrets of delivery SecretRef, which can't do without it. */
  readonly writer?: SecretWriter;
  /** The image-pull Secrets that go with secrets. Default: none do. */
  readonly imagePull?: ImagePullSecrets;
  /** What `webhook.scopeBinding.namespaceLabels` goes by. */
  readonly namespaceLabels?: NamespaceLabels;
  /** The same for all replicas, so that they share Secrets. Default: random. */
  readonly namingKey?: Uint8Array;
  /** The cluster of the managed Secrets, which `embeddedSecretManagerConfig.type` K8s can't do without. It stays the caller's. */
  readonly kube?: KubeClient;
  /** Where its metrics are registered. Default: one of its own. */
  readonly registry?: Registry;
  /** Hears of every secret that the invalidation endpoint was told of. */
  readonly onInvalidate?: (id: SecretId) => void;
  /** What else must be there before the webhook counts as ready. */
  readonly readiness?: readonly ReadinessCheck[];
}

/** A running webhook. */
export interface RunningWebhook {
  readonly ports: ServedWebhook["ports"];
  /** Forgets what is known of a secret: for a service in the same process. */
  invalidate(id: SecretId): void;
  /** Ends it as {@link ServedWebhook} says: clients have 5 s to notice, requests 20 s to finish. Idempotent. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Starts the pod webhook that the configuration describes. When it throws, nothing is left running.
 * @throws SecretsError `invalid_config` or `listen_failed`, naming the setting; what opening the store throws.
 */
export async function startWebhook(config: Config, options: StartWebhookOptions): Promise<RunningWebhook> {
  const { webhook } = config;
  const { log, certificates } = options;
  const clients = readClientCertificates(webhook);
  assertInlineIsForTheApiServer(webhook);
  const registry = options.registry ?? new Registry();
  addProcessMetrics(registry);
  addCertificateExpiry(registry, certificates);
  const { writer, namingKey, imagePull, namespaceLabels } = options;
  const { scopeBinding: binding } = webhook;
  const nameOf = createNamespaceNames({
    binding,
    namespaceLabels: binding.namespaceLabels ? namespaceLabels : undefined,
  });
  const metrics = createWebhookMetrics(registry, nameOf);
  await using opened = new AsyncDisposableStack();
  const spans = await openTracing({ config: config.otel, serviceName: "executor", log });
  opened.defer(() => spans?.close());
  const tracing = spans && createAdmissionTracing(spans, webhook.embeddedSecretManagerConfig.type);

  const lookup = await openLookup(lookupOptions(config), {
    openStore: async () =>
      opened.adopt(await openEmbeddedStore({ ...embeddedStoreOptions(config), log }), (store) => store.close()),
    openKube: async () => options.kube ?? noCluster(),
    clock: systemClock,
    log,
    metrics: tracing?.listen(metrics.lookups) ?? metrics.lookups,
  });
  opened.defer(() => lookup.close());
  const global = globalSecrets(config, options.env);
  let served = "";
  const admission = createWebhook({
    servedCertificate: () => served,
    onRefused: createRefusedClaims({ log, clock: systemClock, count: metrics.claimRefused }),
    ...createAdmission(config, {
      ownNamespace: podNamespace({ env: options.env, configured: config.actions.kubernetes.namespace }),
      lookup,
      global,
      ...(writer && { writer }),
      ...(namingKey && { namingKey }),
      ...(imagePull && { imagePull }),
      ...(namespaceLabels && { namespaceLabels }),
    }),
    timeoutMs: webhook.webhookTimeout * 1000,
    maxBodyBytes: webhook.limits.bodyBytes,
    telemetry: { log, metrics, tracing },
  });
  const invalidateHere = (id: SecretId) => {
    lookup.invalidate(id);
    options.onInvalidate?.(id);
  };
  const namespace = podNamespace({ env: options.env, configured: config.actions.kubernetes.namespace });
  const token = await openInvalidationToken(webhook, options.kube && { client: options.kube, namespace });
  const listening = await serveWebhook({
    config,
    admission,
    onServed: (sha256) => {
      served = sha256;
    },
    observer: metrics.requests,
    certificates,
    clients,
    invalidation: {
      invalidate: invalidateHere,
      peers: webhook.cacheInvalidationPeers,
      perSecond: webhook.limits.invalidationsPerSecond,
      ...(token !== undefined && { token }),
    },
    readiness: [lookup.ready, ...(options.readiness ?? [])],
    telemetry: { log, registry },
  });
  log.info(
    { ports: listening.ports, delivery: webhook.embeddedSecretManagerConfig.delivery },
    "serving the pod webhook",
  );

  const running = opened.move();
  return {
    ports: listening.ports,
    invalidate: lookup.invalidate,
    close: closeOnce(async ({ graceMs = GRACE_MS } = {}) => {
      await listening.close({ graceMs, finishMs: FINISH_MS });
      await running.disposeAsync();
    }),
  };
}

/** With Inline an answer has the values, and a review can be made up by anybody. */
function assertInlineIsForTheApiServer({ host, clientCA, ...webhook }: Config["webhook"]): void {
  if (webhook.embeddedSecretManagerConfig.delivery !== "Inline" || clientCA !== "") return;
  if (webhook.allowInlineToEverybody || isLoopback(host)) return;
  throw new SecretsError(
    "invalid_config",
    `webhook.embeddedSecretManagerConfig.delivery Inline on ${host || "all addresses"} (webhook.host) would give every secret to everybody ` +
      "who reaches webhook.listenPort; ask for the API server's certificate (webhook.clientCA), use delivery SecretRef, listen on " +
      "127.0.0.1, or set webhook.allowInlineToEverybody to true",
  );
}

function noCluster(): never {
  throw new SecretsError(
    "invalid_config",
    "webhook.embeddedSecretManagerConfig.type K8s needs a cluster; run in one, set secret.kubernetes.kubeconfig, or write another type",
  );
}
