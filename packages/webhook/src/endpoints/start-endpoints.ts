import { setTimeout as delay } from "node:timers/promises";
import type { CertificateSource } from "@flyte-secrets/certificates";
import { fingerprintOf, replaceCertificate } from "@flyte-secrets/certificates";
import { closeOnce, SecretsError } from "@flyte-secrets/core";
import { addBudgetMetrics, isLoopback, parseBindAddress } from "@flyte-secrets/http";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { RequestObserver } from "./answer-requests.ts";
import type { ClientCertificateOptions, ClientCertificates } from "./client-certificates.ts";
import type { Endpoint } from "./endpoint.ts";
import { createInvalidationEndpoint, type InvalidationEndpointOptions } from "./invalidation-endpoint.ts";
import { createMetricsEndpoint, createProbes, type ReadinessCheck } from "./observability.ts";
import { type EndpointListener, type ServeEndpointOptions, serveEndpoint } from "./serve-endpoint.ts";

/** The webhook's ports and their limits. */
export interface EndpointsOptions extends ClientCertificateOptions {
  /** The address of admissions and invalidations. Empty: all addresses of the machine. */
  readonly host: string;
  /** The HTTPS port; 0 chooses a free one. */
  readonly listenPort: number;
  /** Whether delivery Inline may serve everybody who reaches the port. */
  readonly allowInlineToEverybody: boolean;
  readonly limits: {
    readonly connections: number;
    readonly connectionsPerAddress: number;
    /** The memory of all admissions in flight. */
    readonly allBodiesBytes: number;
    readonly invalidationsPerSecond: number;
  };
  /** 0 turns invalidations off. */
  readonly cacheInvalidationPort: number;
  /** The file or the Secret with the token of callers; empty: none. */
  readonly cacheInvalidationTokenFile: string;
  readonly cacheInvalidationTokenSecret: string;
  /** Which addresses may call without the token. Undefined: none. */
  readonly isInvalidationPeer: ((address: string) => boolean) | undefined;
  /** `HOST:PORT`, or empty for none. */
  readonly healthProbeBindAddress: string;
  readonly metricsBindAddress: string;
  /** Whether metrics are served with the webhook's certificate. */
  readonly metricsSecure: boolean;
}

export interface StartEndpointsOptions {
  readonly endpoints: EndpointsOptions;
  readonly admission: Endpoint;
  /** Observes the requests to the admission. */
  readonly observer?: RequestObserver;
  readonly certificates: CertificateSource;
  readonly invalidation: Pick<InvalidationEndpointOptions, "invalidate" | "token">;
  /** The certificates that clients of the admission must have. Default: none. */
  readonly clients?: ClientCertificates | undefined;
  /** Called with the fingerprint of the certificate that new connections get, at the start and after each change. */
  readonly onServed?: (sha256: string) => void;
  /** The conditions of readiness. */
  readonly readiness: readonly ReadinessCheck[];
  readonly telemetry: { readonly log: Logger; readonly registry: Registry };
}

/** The webhook's open listeners. */
export interface RunningEndpoints {
  /** The ports by their use, without those that are turned off. */
  readonly ports: Readonly<Partial<Record<"admission" | "invalidation" | "probes" | "metrics", number>>>;
  /**
   * Stops like a pod that Kubernetes removes. It is not ready from now on, but serves for another `graceMs`, until the
   * last client has noticed, and closes each connection after its next response. Then it finishes requests in flight,
   * and ends those that take longer than `finishMs`. Idempotent.
   */
  close(options: { readonly graceMs: number; readonly finishMs: number }): Promise<void>;
}

/** Opens the webhook's listeners. When it throws, none is left open (W-27, W-28). */
export async function startEndpoints(options: StartEndpointsOptions): Promise<RunningEndpoints> {
  const { certificates, observer, endpoints } = options;
  const { host, limits } = endpoints;
  const { log, registry } = options.telemetry;
  let closing = false;
  const stillOpen = () => {
    if (closing) throw new SecretsError("store_unavailable", "shutting down");
  };

  await using opened = new AsyncDisposableStack();
  const open = async (listener: Omit<ServeEndpointOptions, "log">) => {
    const listening = await serveEndpoint({ ...listener, log });
    opened.defer(() => listening.close({ graceMs: 0 }));
    return listening;
  };
  const openAt = async (setting: string, text: string, serving: Pick<ServeEndpointOptions, "endpoint" | "tls">) => {
    const address = parseBindAddress(text, setting);
    return address && (await open({ ...address, ...serving, setting }));
  };
  // Before the listeners are opened, so that no change of the certificate is missed.
  const listeners: EndpointListener[] = [];
  const tls = certificates.current();
  let served = fingerprintOf(tls.cert);
  options.onServed?.(served);
  let isChanged = false;
  const onChange = () => {
    isChanged = true;
    served = replaceCertificate({ next: certificates.current(), listeners, log, served });
    options.onServed?.(served);
  };
  opened.defer(certificates.onChange(onChange));
  const admission = await open({
    host,
    port: endpoints.listenPort,
    endpoint: options.admission,
    limits: {
      maxConnections: limits.connections,
      maxConnectionsPerAddress: limits.connectionsPerAddress,
      maxRequestsBytes: limits.allBodiesBytes,
    },
    ...(observer && { observer }),
    tls,
    clients: options.clients,
    setting: "webhook.listenPort",
  });
  addBudgetMetrics(registry, {
    name: "flyte_secrets_requests",
    heldBytes: admission.heldBytes,
    maxBytes: limits.allBodiesBytes,
    setting: "webhook.limits.allBodiesBytes",
  });
  const openInvalidation = async () => {
    const { cacheInvalidationPort: port, isInvalidationPeer: isPeer } = endpoints;
    if (port === 0) return undefined;
    const { token } = options.invalidation;
    const perSecond = limits.invalidationsPerSecond;
    const endpoint = createInvalidationEndpoint({ ...options.invalidation, isPeer, perSecond });
    const serving = { port, endpoint, setting: "webhook.cacheInvalidationPort" };
    if (token !== undefined || isPeer !== undefined || isLoopback(host)) return await open({ ...serving, host });
    log.warn("/invalidate-secret answers this machine only: set %s", OPENS_INVALIDATION);
    const ipv4 = await open({ ...serving, host: "127.0.0.1" });
    // `localhost` may resolve to either. Some machines have no IPv6.
    await open({ ...serving, host: "::1", port: ipv4.port }).catch((error) => log.info({ err: error }, "no ::1 here"));
    return ipv4;
  };
  const invalidation = await openInvalidation();
  const probes = await openAt("executor.healthProbeBindAddress", endpoints.healthProbeBindAddress, {
    endpoint: createProbes([stillOpen, ...options.readiness], log),
  });
  const metrics = await openAt("executor.metricsBindAddress", endpoints.metricsBindAddress, {
    endpoint: createMetricsEndpoint(registry),
    ...(endpoints.metricsSecure && { tls }),
  });
  listeners.push(admission, ...(metrics ? [metrics] : []));
  if (isChanged) onChange();

  const close = async (graceMs: number, finishMs: number) => {
    closing = true;
    admission.drain();
    await delay(graceMs);
    await admission.close({ graceMs: finishMs });
    await running.disposeAsync();
  };
  const running = opened.move();
  return {
    ports: {
      admission: admission.port,
      ...(invalidation && { invalidation: invalidation.port }),
      ...(probes && { probes: probes.port }),
      ...(metrics && { metrics: metrics.port }),
    },
    close: closeOnce(({ graceMs, finishMs }) => close(graceMs, finishMs)),
  };
}

const OPENS_INVALIDATION =
  "webhook.cacheInvalidationTokenFile, webhook.cacheInvalidationTokenSecret or webhook.cacheInvalidationPeers to " +
  "let others call";
