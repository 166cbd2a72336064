import { closeOnce, type SecretId, SecretsError, systemClock } from "@flyte-secrets/core";
import { addCertificateExpiry, addProcessMetrics, isLoopback, loadPrometheus } from "@flyte-secrets/http";
import type { Registry } from "prom-client";
import { createAdmission } from "./admission/create-admission.ts";
import { globalSecrets } from "./admission/global-secrets.ts";
import { createAdmissionHandler } from "./admission/handler.ts";
import { createRefusedClaimReporter } from "./admission/refused-claim-reporter.ts";
import { createNamespaceNames } from "./binding/bound-namespaces.ts";
import { type DependencyContext, openDependencies } from "./dependencies.ts";
import { readClientCertificates } from "./endpoints/client-certificates.ts";
import { type RunningEndpoints, startEndpoints } from "./endpoints/start-endpoints.ts";
import { createWebhookMetrics } from "./webhook-metrics.ts";
import type { WebhookOptions } from "./webhook-options.ts";

/**
 * How long clients have to notice that the webhook stops. Requests in flight finish after that; Kubernetes kills the
 * process after 30 s.
 */
const GRACE_MS = 5_000;
const FINISH_MS = 20_000;

export interface WebhookParts extends Pick<DependencyContext, "log" | "env" | "home" | "certificates" | "writer"> {
  /** Where the metrics are registered. Default: a registry of its own. */
  readonly registry?: Registry;
  /** Called for every secret that the invalidation endpoint invalidates. */
  readonly onInvalidate?: (id: SecretId) => void;
}

/** A running webhook. */
export interface RunningWebhook {
  readonly ports: RunningEndpoints["ports"];
  /** Removes a secret from the cache: for a service in the same process. */
  invalidate(id: SecretId): void;
  /** Stops like {@link RunningEndpoints}: clients have 5 s to notice, requests 20 s to finish. Idempotent. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Starts a pod webhook: opens its dependencies ({@link openDependencies}), creates the admission with them, and serves
 * it on its ports. When it throws, nothing is left running.
 * @throws SecretsError `invalid_config` or `listen_failed`, naming the setting; what opening the store throws.
 */
export async function startWebhook(options: WebhookOptions, parts: WebhookParts): Promise<RunningWebhook> {
  const { admission: deciding, endpoints } = options;
  const { log, env, onInvalidate } = parts;
  const clients = readClientCertificates(endpoints);
  assertInlineIsForTheApiServer(options);
  const registry = parts.registry ?? new (loadPrometheus().Registry)();
  await using opened = new AsyncDisposableStack();
  const dependencies = opened.use(await openDependencies(options, { ...parts, registry, clock: systemClock }));
  const { certificates, lookup, namespaceLabels, invalidationToken: token } = dependencies;
  addProcessMetrics(registry);
  addCertificateExpiry(registry, certificates);
  const nameOf = createNamespaceNames({ binding: deciding.scopeBinding, namespaceLabels });
  const metrics = createWebhookMetrics(registry, nameOf);
  let served = "";
  const admission = createAdmissionHandler({
    servedCertificate: () => served,
    onRefused: createRefusedClaimReporter({ log, clock: systemClock, count: metrics.claimRefused }),
    ...createAdmission(deciding, { ...dependencies, global: globalSecrets(deciding.global, env) }),
    timeoutMs: deciding.timeoutMs,
    maxBodyBytes: deciding.maxBodyBytes,
    telemetry: { log, metrics, tracing: dependencies.tracing },
  });
  const listening = await startEndpoints({
    endpoints,
    admission,
    onServed: (sha256) => {
      served = sha256;
    },
    observer: metrics.requests,
    certificates,
    clients,
    invalidation: {
      invalidate(id) {
        lookup.invalidate(id);
        onInvalidate?.(id);
      },
      ...(token !== undefined && { token }),
    },
    readiness: dependencies.readiness,
    telemetry: { log, registry },
  });
  log.info({ ports: listening.ports, delivery: deciding.delivery }, "serving the pod webhook");

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

/** With Inline a response contains the values, and anybody can invent a review. */
function assertInlineIsForTheApiServer({ admission, endpoints }: WebhookOptions): void {
  const { host, clientCA, allowInlineToEverybody } = endpoints;
  if (admission.delivery !== "Inline" || clientCA !== "" || allowInlineToEverybody || isLoopback(host)) return;
  throw new SecretsError(
    "invalid_config",
    `webhook.embeddedSecretManagerConfig.delivery Inline on ${host || "all addresses"} (webhook.host) would give ` +
      "every secret to everybody who reaches webhook.listenPort; ask for the API server's certificate " +
      "(webhook.clientCA), use delivery SecretRef, listen on 127.0.0.1, or set webhook.allowInlineToEverybody to true",
  );
}
