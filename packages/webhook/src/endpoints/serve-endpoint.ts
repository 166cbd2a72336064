import type { TLSSocket } from "node:tls";
import { type ConnectionLimits, type Listener, listenHttp1, type TlsFiles } from "@flyte-secrets/http";
import type { Logger } from "pino";
import { answerRequests, type RequestObserver } from "./answer-requests.ts";
import { type ClientCertificates, hasClientName } from "./client-certificates.ts";
import type { Endpoint } from "./endpoint.ts";
import { createRequestBudget } from "./request-budget.ts";

/** The limits of a port of the webhook. */
export interface EndpointLimits extends ConnectionLimits {
  /** The memory of all requests in flight: their bodies, and 8 KiB for each. */
  readonly maxRequestsBytes: number;
}

/** The limits of a port with few callers and small requests: probes, scrapers, invalidations. */
export const SMALL_ENDPOINT_LIMITS: EndpointLimits = {
  maxConnections: 256,
  maxConnectionsPerAddress: 0,
  maxRequestsBytes: 4 * 1024 * 1024,
};

export interface ServeEndpointOptions {
  readonly endpoint: Endpoint;
  /** Default: {@link SMALL_ENDPOINT_LIMITS}. */
  readonly limits?: EndpointLimits;
  readonly observer?: RequestObserver;
  /** Default: all addresses of the machine. */
  readonly host?: string;
  /** 0 chooses a free port. */
  readonly port: number;
  /** Without it, plain HTTP. */
  readonly tls?: TlsFiles;
  /** With `tls`: the certificates that clients must have. Default: none. */
  readonly clients?: ClientCertificates | undefined;
  /** The setting that host and port come from, for errors. */
  readonly setting: string;
  readonly log: Logger;
}

export interface EndpointListener extends Listener {
  /** The memory of the requests in flight, which `limits.maxRequestsBytes` bounds. */
  heldBytes(): number;
}

const TIMEOUTS = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  // Longer than the 90 s after which Go's clients, the API server among them, close idle connections: the client closes
  // first.
  idleTimeoutMs: 120_000,
};

/**
 * Serves an endpoint over HTTP/1.1, the only version that API servers use for webhooks; probes and scrapers need no
 * other. Throws `listen_failed` when the address is not available.
 */
export async function serveEndpoint(options: ServeEndpointOptions): Promise<EndpointListener> {
  const { endpoint, limits = SMALL_ENDPOINT_LIMITS, observer, host, port, tls, clients, setting, log } = options;
  const { maxRequestsBytes, ...connectionLimits } = limits;
  const budget = createRequestBudget(maxRequestsBytes);
  const listener = await listenHttp1({
    handler: answerRequests({ endpoint, budget, observer, log }),
    host,
    port,
    settings: { host: setting, port: setting, limits: "this port takes (webhook.limits for webhook.listenPort)" },
    ...(tls && { tls }),
    clients: clients && { ca: clients.ca, isAccepted: (socket) => isNamed(socket, clients, log) },
    limits: { ...TIMEOUTS, ...connectionLimits },
    log,
  });
  return { ...listener, heldBytes: budget.heldBytes };
}

function isNamed(socket: TLSSocket, { names }: ClientCertificates, log: Logger): boolean {
  if (names.length === 0 || hasClientName(socket, names)) return true;
  log.warn({ names }, "a client's certificate has none of the names of webhook.clientNames");
  return false;
}
